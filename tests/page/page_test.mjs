// page_test.mjs STATWIT CHROMIUM ASSETS [NAME]: every screen shows what the API says; nothing that was sent becomes an element; looking changes
// nothing. Each test waits for what must show, and never sleeps.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {browseTests} from './browse.mjs';
import {frameTests} from './frame.mjs';
import {numbers} from './numbers.mjs';
import {promiseTests} from './promises.mjs';
import {recordingTests} from './recordings.mjs';
import {stateTests} from './states.mjs';
import {WICKED, RAW} from './wicked.mjs';
import {ours, startBrowser, startRecorder} from './recorder.mjs';

const [binary, executable, assets, only = ''] = process.argv.slice(2);
const delay = Number(process.env.PAGE_DELAY); // ms, of each answer at most: answers come in any order
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tests = [];
const test = (name, run, ...options) => tests.push({name, run, options});
const LINES = ['http.time:12.5:30:7|ms|#env:ci,route:/login', 'http.time:8|ms|#env:prod,route:/cart', 'login.attempt:1|c|#instance:failure',
  'login.attempt:3|c|#instance:success', 'queue.depth:4|g', 'users:alice|s', 'order.created|1|c', 'order.created|1|c', 'x:1|zz|#é',
  '_e{6,4}:Deploy|done|t:success|#env:ci', '_sc|db.ok|2|#env:ci|m:no connection'];
// What a screen shows once it knows what was recorded.
const SHOWN = [['session=empty', '.empty'], ['/users', '.figures dd'], ['/http.time', '.chart .band'], ['/metrics', 'a.open'], ['/live', '.live td'],
  ['/rejects', '.reject'], ['/events', '.event'], ['/expect', '.result'], ['/verdicts', '.judged'], ['/sessions', 'main td a']];
const SCREENS = ['#/metrics', '#/metrics/http.time?type=timing', '#/metrics/users?type=set', '#/live', '#/rejects', '#/events',
  '#/expect?e=incr+login.atempt+sum+%3D%3D+1', '#/verdicts', '#/sessions'];

async function settled(page, selector, text) {
  await page.locator(selector, text ? {hasText: text} : {}).first().waitFor({state: 'visible', timeout: 30000});
}

// Over time, the one that is read with keys; that of the values may be drawn before it.
function chart(page) {
  return page.getByRole('group', {name: /^Chart/});
}

async function accessible(page, what) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
  assert.deepEqual(violations.map((v) => `${what} ${v.id}: ${v.nodes.map((n) => n.target).join(' | ')}`), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} scrolls sideways`);
}

test('metrics: the list is what the API says', async ({page, r}) => {
  await page.goto(r.url + '/');
  await settled(page, 'a.open', 'users');
  const {metrics} = await r.ask('metrics');
  assert.deepEqual(await page.locator('a.open').allInnerTexts(), metrics.map((m) => m.name));
  assert.deepEqual(await page.locator('td.c-samples').allInnerTexts(), metrics.map((m) => String(m.samples)));
  await r.send('brand.new:1|c');
  await settled(page, 'a.open', 'brand.new');
});

test('metrics: search, sort, and back and reload restore them', async ({page, r}) => {
  await page.goto(r.url + '/');
  await settled(page, 'a.open', 'users');
  await page.keyboard.press('/');
  await page.keyboard.type('is:timing env:prod');
  await page.locator('main [role=status]', {hasText: '1 metric'}).waitFor();
  assert.match(page.url(), /q=is%3Atiming/);
  await page.locator('a.open').click();
  await settled(page, 'h1', 'http.time');
  await page.goBack();
  await page.locator('main [role=status]', {hasText: '1 metric'}).waitFor();
  await page.reload();
  await page.locator('main [role=status]', {hasText: '1 metric'}).waitFor();
  assert.equal(await page.locator('#search').inputValue(), 'is:timing env:prod');
  await page.locator('#search').fill('nothing.like.this');
  await page.getByRole('button', {name: 'Show all'}).click();
  await settled(page, 'a.open', 'users');
  await page.getByRole('button', {name: 'Samples'}).click();
  await page.locator('th[aria-sort=descending]', {hasText: 'Samples'}).waitFor();
  await page.waitForFunction(() => document.querySelector('a.open').textContent === 'http.time');
});

test('one metric: figures, chart, values, tags, series, samples', async ({page, r}) => {
  await page.goto(r.url + '/#/metrics/http.time?type=timing');
  await settled(page, '.figures', 'samples');
  const {metrics: [m]} = await r.ask('metrics?name=http.time');
  assert.equal(await page.locator('.figures div', {hasText: 'sum'}).locator('dd').getAttribute('title'), String(m.sum));
  await chart(page).locator('.band').first().waitFor();
  await page.locator('.key h3').nth(1).waitFor();
  assert.equal(await page.locator('.key h3').count(), 2);
  await settled(page, '.key', '2 values');
  await page.locator('.key a', {hasText: '/cart'}).click();
  await settled(page, '.chosen', 'route:/cart');
  await page.locator('.figures div', {hasText: 'samples'}).locator('dd', {hasText: /^1$/}).waitFor();
  await page.locator('.chosen a').click();
  await page.locator('.figures div', {hasText: 'samples'}).locator('dd', {hasText: /^4$/}).waitFor();
  await chart(page).focus();
  await page.keyboard.press('ArrowLeft');
  await settled(page, '.tip', 'sample');
  await page.keyboard.press('Escape');
  await settled(page, 'a.open', 'users');
});

test('live: what is sent shows, pause holds it, a filter keeps the rest out', async ({page, r}) => {
  await page.goto(r.url + '/#/live');
  await settled(page, '.live td', 'users');
  await r.send('now.it:77|g|#a:b');
  await settled(page, '.live .c-value', '77'); // a time may hold these digits, too
  await page.keyboard.press(' ');
  await settled(page, '.tools', 'Paused');
  const rows = await page.locator('.live tbody tr').count();
  await r.send('while.paused:1|c');
  await settled(page, '.tools', '1 came since');
  assert.equal(await page.locator('.live tbody tr').count(), rows);
  await page.getByRole('button', {name: 'Go on'}).click();
  await page.locator('#search').fill('only.*');
  await page.waitForFunction(() => document.querySelectorAll('.live tbody tr').length === 0);
  await r.send('other:1|c\nonly.this:5|c');
  await settled(page, '.live td', 'only.this');
  assert.equal(await page.locator('.live tbody tr').count(), 1);
});

test('live: many at once are one row a metric', async ({page, r}) => {
  await page.goto(r.url + '/#/live');
  await settled(page, '.live td', 'users');
  for (let i = 0; i < 40; i++) await r.send(Array(50).fill('flood:1|c').concat(i === 20 ? ['rare:1|c'] : []).join('\n'));
  await settled(page, '.live td', 'rare');
  await settled(page, '.live .times');
  assert.ok(await page.locator('.live tbody tr').count() <= 300);
});

test('rejects: reason, count and the caret under the place', async ({page, r}) => {
  await page.goto(r.url + '/#/rejects');
  await settled(page, '.reject .times', '×2');
  const {rejects} = await r.ask('rejects');
  const shown = await page.locator('.reject', {hasText: 'order.created'}).locator('pre').innerText();
  const [line, caret] = shown.split('\n');
  assert.equal(line, rejects[0].text);
  assert.equal(caret.indexOf('^'), rejects[0].offset);
  await page.getByRole('button', {name: /invalid type/}).click();
  await page.waitForFunction(() => document.querySelectorAll('.reject').length === 1);
  assert.match(page.url(), /reason=/);
});

test('events and checks', async ({page, r}) => {
  await page.goto(r.url + '/#/events');
  await settled(page, '.event', 'Deploy');
  await settled(page, '.w-critical', 'critical');
});

test('expect: judged while typing, and when data arrives', async ({page, r}) => {
  await page.goto(r.url + '/#/expect');
  await page.locator('textarea').fill('incr login.atempt sum == 4\ntiming http.time p95 < 500');
  await settled(page, '.verdict', '1 passed, 1 failed');
  await settled(page, '.mark', 'its name is 1 edit away');
  await page.locator('textarea').fill('incr later sum == 2');
  await settled(page, '.verdict', '1 failed');
  await r.send('later:2|c');
  await settled(page, '.verdict', '1 passed');
  await page.locator('textarea').fill('incr good\nno anyy x');
  await settled(page, '.verdict', 'Line 2');
  assert.equal(await page.locator('pre.line').innerText(), 'no anyy x\n   ^');
  await page.reload();
  assert.equal(await page.locator('textarea').inputValue(), 'incr good\nno anyy x');
});

test('sessions: make, look at, forget, remove', async ({page, r}) => {
  await page.goto(r.url + '/#/sessions');
  await page.getByRole('button', {name: 'New session'}).click();
  await page.getByRole('textbox', {name: 'Name'}).fill('mine');
  await page.getByRole('button', {name: 'Make it'}).click();
  await page.locator('main td a', {hasText: 'mine'}).click();
  await settled(page, '.empty', 'Waiting for the first metric');
  const {sessions} = await r.ask('sessions');
  const address = sessions.find((s) => s.name === 'mine').dogstatsd.udp;
  await settled(page, '.snippet', address.split(':')[1]);
  await r.send('mine.only:1|c', address);
  await settled(page, 'a.open', 'mine.only');
  assert.equal(await page.locator('a.open').count(), 1);
  await page.goto(r.url + '/#/sessions');
  await page.getByRole('button', {name: 'Forget what mine recorded'}).click();
  await page.getByRole('button', {name: 'Forget', exact: true}).click();
  await settled(page, '#toast.on', 'Forgotten');
  await page.getByRole('button', {name: 'Remove mine'}).click();
  await page.getByRole('button', {name: 'Remove', exact: true}).click();
  await page.waitForFunction(() => ![...document.querySelectorAll('main td a')].some((a) => a.textContent === 'mine'));
  assert.equal((await r.ask('sessions')).sessions.length, 1);
});

test('losses: said in words', async ({page, r}) => {
  await r.ask('faults', {method: 'PUT', body: JSON.stringify({dogstatsd: [{drop: 1}]})});
  await r.send('gone:1|c');
  await page.goto(r.url + '/#/metrics');
  await settled(page, '.lost', '1 lost');
  await page.locator('.lost').click();
  await settled(page, '.losses', 'dropped on purpose');
});

test('the keys', async ({page, r}) => {
  await page.goto(r.url + '/');
  await settled(page, 'a.open', 'users');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await settled(page, 'h1', 'http.time');
  for (const [key, title] of [['2', 'Live'], ['3', 'Rejects'], ['4', 'Events'], ['5', 'Expect'], ['6', 'Verdicts'], ['7', 'Sessions'], ['1', 'Metrics']]) {
    await page.keyboard.press(key);
    await page.waitForFunction((t) => document.title === `${t} · statwit`, title);
  }
  await page.keyboard.press('?');
  await settled(page, 'dialog h2', 'Keys');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({state: 'detached'});
});

test('hostile names, tags, texts and sessions stay text', async ({page, r}) => {
  for (const text of WICKED) {
    const name = text.replaceAll(':', ';').replaceAll('|', '/'), tag = text.replaceAll(',', ';').replaceAll('|', '/');
    const title = text, size = Buffer.byteLength(title);
    await r.send(`${name}:1|c|#${tag},k:${tag}`);
    await r.send(`m:${name}|s`);
    await r.send(`_e{${size},${size}}:${title}|${title}|t:error`);
    await r.send(`_sc|${name}|1|m:${tag}`);
    await r.send(`${name}|zz`);
    await r.send(`value:${name}|g`); // refused, and shown as it came
  }
  for (const line of RAW) await r.send(line);
  for (const text of WICKED) // most are no name for a session
    assert.ok([201, 400].includes((await fetch(`${r.url}/recorder/v1/sessions`, {method: 'POST', body: JSON.stringify({name: text})})).status), text);
  await r.ask('sessions', {method: 'POST', body: '{"name":"other"}'});
  for (const text of WICKED) // what cannot be read is an error, and not kept
    await r.ask('expect', {method: 'POST', body: JSON.stringify({expect: [`incr "${text.replace(/["\\]/g, '\\$&')}"{"k:${text.replace(/["\\]/g, '\\$&')}"} sum == 7`]})});
  const {metrics} = await r.ask('metrics?limit=1000');
  assert.ok(metrics.length > 40, `${metrics.length} metrics`);
  let dialogs = 0;
  page.on('dialog', (d) => { dialogs++; d.dismiss(); });
  const screens = [...SCREENS, '#/sessions?a=default&b=other', '#/sessions?a=%3Cimg%20src=x%20onerror=alert(1)%3E&b=other', '#/verdicts?session=%3Cb%3E', ...WICKED.slice(0, 12).map((t) => `#/metrics?session=${encodeURIComponent(t)}`), ...metrics.slice(0, 60).map((m) => `#/metrics/${encodeURIComponent(m.name)}?type=${m.type}`)];
  for (const screen of screens) {
    await page.goto(r.url + '/' + screen);
    await page.locator('footer .state').waitFor();
    await page.locator(/#\/metrics\//.test(screen) ? '.figures dd >> nth=0' : 'main > *').first().waitFor();
    const strange = await page.evaluate(() => [...document.querySelectorAll('main :is(script, img, iframe, style, math, object, embed, b[onclick], [onerror], [onload]), head script:not([src="/page/app.js"])')].map((e) => e.outerHTML));
    assert.deepEqual(strange, [], screen);
  }
  await page.goto(r.url + '/#/metrics');
  await settled(page, 'a.open');
  const shown = await page.locator('a.open').evaluateAll((list) => list.map((e) => e.textContent));
  assert.ok(shown.length > 20, `${shown.length} rows`);
  assert.deepEqual(shown, metrics.slice(0, shown.length).map((m) => m.name), 'the names are text');
  await page.goto(r.url + '/#/live');
  await settled(page, '.live td');
  await page.goto(r.url + '/#/sessions');
  await settled(page, 'main td a');
  assert.equal(await page.locator('main td :is(b, img, script, svg)').count(), 0);
  await page.goto(r.url + '/#/rejects');
  await settled(page, '.reject');
  await page.goto(r.url + '/#/verdicts');
  await settled(page, '.judged');
  assert.ok(await page.locator('.judged').count() > 30);
  await page.goto(r.url + '/#/sessions?a=default&b=other');
  await settled(page, '.removed li');
  assert.equal(await page.locator('.removed img, .removed script, .removed b b').count(), 0);
  await page.goto(r.url + '/#/events');
  await settled(page, '.event');
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.equal(dialogs, 0);
});

test('a name that is not UTF-8 has its screen', async ({page, r}) => {
  await r.send(Buffer.from('na\xffme:5|g', 'latin1'));
  await page.goto(r.url + '/');
  await page.locator('a.open', {hasText: 'na\ufffdme'}).click();
  await page.locator('.figures div', {hasText: 'last'}).locator('dd', {hasText: /^5$/}).waitFor();
});

test('looking adds no record', async ({page, r}) => {
  const before = (await r.ask('status')).last_id;
  for (const screen of SCREENS) {
    await page.goto(r.url + '/' + screen);
    await page.locator('footer .state').waitFor();
  }
  assert.equal((await r.ask('status')).last_id, before);
});

test('a token: a dialog asks; #token= leaves the address at once', async ({page, r}) => {
  let answer;
  const given = new Promise((resolve) => { answer = resolve; });
  await page.route(/\/metrics\?/, async (route) => { await given; await route.continue(); }, {times: 1}); // a late 401 does not ask again
  await page.goto(r.url + '/');
  await page.locator('dialog input').fill('wrong');
  await page.getByRole('button', {name: 'Use it'}).click();
  await settled(page, 'dialog', 'This was not it');
  await page.locator('dialog input').fill('opensesame');
  await page.getByRole('button', {name: 'Use it'}).click();
  answer();
  await settled(page, '.empty', 'Waiting for the first metric');
  const other = await page.context().newPage();
  const sent = [];
  other.on('request', (q) => sent.push(q.url()));
  await other.goto(r.url + '/#token=opensesame');
  await other.locator('.empty', {hasText: 'Waiting'}).waitFor();
  assert.ok(!other.url().includes('opensesame'));
  await other.goto(r.url + '/#/live');
  await r.send('with.token:1|c');
  await other.locator('.live td', {hasText: 'with.token'}).waitFor();
  assert.ok(sent.every((url) => !url.includes('opensesame')));
  assert.equal(await other.evaluate(() => JSON.stringify({...localStorage})), '{}');
}, '--token', 'opensesame');

test('the server goes away: it is said, and the content stays', async ({page, r}) => {
  await page.goto(r.url + '/');
  await settled(page, 'a.open', 'users');
  await r.stop();
  r.stop = async () => {};
  await settled(page, 'footer [role=alert]', 'does not answer');
  assert.ok(await page.locator('a.open').count() > 0);
  const again = await startRecorder(binary, '--http-port', new URL(r.url).port);
  try {
    await settled(page, '#toast.on', 'The server is back');
    await settled(page, '.empty', 'Waiting for the first metric');
    await again.send('back.again:1|c');
    await settled(page, 'a.open', 'back.again');
    await page.goto(r.url + '/#/live');
    await settled(page, '.live td', 'again');
  } finally {
    await again.stop();
  }
});

for (const [look, options] of [['light', {}], ['dark', {colorScheme: 'dark'}], ['380 px', {viewport: {width: 380, height: 780}}], ['320 px', {viewport: {width: 320, height: 640}}]])
  test(`accessible, and not wider than the window: ${look}`, async ({page, r}) => {
    for (const screen of [...SCREENS, '#/metrics?session=empty', '#/rejects?session=empty', '#/events?session=empty']) {
      if (screen.includes('session=empty')) await r.ask('sessions', {method: 'POST', body: '{"name":"empty"}'});
      await page.goto('about:blank');
      await page.goto(r.url + '/' + screen);
      await page.locator('footer .kept, footer .lost').waitFor();
      await settled(page, SHOWN.find(([part]) => screen.includes(part))[1]);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${screen} scrolls sideways`);
      if (look === '320 px') continue;
      await accessible(page, screen);
    }
  }, options);

const folder = mkdtempSync(path.join(tmpdir(), 'statwit-recordings-'));
recordingTests({test, settled, binary, folder, accessible});
stateTests({test, settled, chart});
frameTests({test, settled, accessible});
browseTests({test, settled, accessible});
promiseTests({test, settled, chart});

let passed = 0, failed = 0;
const {browser, stop} = await startBrowser(executable);
for (const {name, run, options} of tests.filter((t) => t.name.includes(only))) {
  const context = typeof options[0] === 'object' ? options.shift() : {};
  const r = await startRecorder(binary, ...options);
  const own = await browser.newContext({viewport: {width: 1280, height: 800}, ...context});
  if (delay) await own.route(/\/recorder\/v1\//, (route) => setTimeout(() => route.fallback().catch(() => {}), Math.random() * delay));
  const page = await own.newPage();
  const bad = [];
  own.on('request', (q) => { if (!ours.some((url) => q.url().startsWith(url))) bad.push(`asked for ${q.url()}`); });
  own.on('console', (m) => { if (m.type() === 'error' && !/status of (40[014]|50[03])|ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(m.text())) bad.push(m.text()); });
  page.on('pageerror', (e) => bad.push(e.stack));
  try {
    if (!options.length) {
      for (const line of LINES) await r.send(line);
      await r.ask('status');
      if (!name.includes('erdicts')) await r.ask('expect', {method: 'POST', body: '{"expect":["incr login.attempt sum == 1","incr login.attempt"]}'});
    }
    await run({page, r});
    assert.deepEqual(bad, [], 'the browser complained');
    console.log(`ok   ${name}`);
    passed++;
  } catch (error) {
    console.log(`FAIL ${name}\n${error.stack}`);
    await page.screenshot({path: `${name.replace(/[^a-z0-9]+/gi, '-')}.png`}).catch(() => {});
    failed++;
  }
  await own.close();
  await r.stop();
}
if (!only || only === 'numbers') failed += await numbers(binary, browser, assets);
await stop();
rmSync(folder, {recursive: true, force: true});
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
