// Verdicts, comparing, and `statwit view`: what somebody looks at when a run has ended.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {copyFileSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {startView} from './recorder.mjs';
import {PATHS} from './wicked.mjs';

const expect = (r, body) => r.ask('expect', {method: 'POST', body: JSON.stringify(body)});
const sum = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

export function recordingTests({test, settled, binary, folder, accessible}) {
  // A recording as `statwit run` leaves it.
  function record(name, lines, ...claims) {
    const file = path.join(folder, name);
    return new Promise((resolve) => execFile(binary, ['run', '--db', file, ...claims.flatMap((c) => ['--expect', c]), '--', binary, 'send', ...lines], (error, out, err) => resolve({file, err})));
  }

  test('verdicts: which claim failed and why, and what passed', async ({page, r}) => {
    await page.goto(r.url + '/#/verdicts');
    await settled(page, '.empty', 'Nothing was judged');
    await expect(r, {expect: ['incr login.attempt sum == 4', 'incr login.atempt sum == 4', 'timing http.time p95 < 500']});
    await settled(page, '.judged h2', '2 passed, 1 failed');
    await settled(page, '.b-verdicts', '1');
    await settled(page, '.judged .mark', 'its name is 1 edit away');
    await page.locator('summary', {hasText: '2 passed'}).click();
    await settled(page, '.judged details .result', 'timing http.time p95 < 500');
    await r.ask('sessions', {method: 'POST', body: '{"name":"t"}'});
    await expect(r, {session: 't', expect: ['no any x']});
    await settled(page, '.judged .word', 't');
    await settled(page, '.judged details .result', 'timing http.time p95 < 500'); // what was opened stays so
    await page.getByRole('button', {name: /^Failed/}).click();
    await page.waitForFunction(() => document.querySelectorAll('.judged').length === 1);
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('.judged').length === 1);
    await page.getByRole('link', {name: 'Expect …'}).click();
    await settled(page, '.verdict', '2 passed, 1 failed');
    assert.equal((await r.ask('verdicts')).verdicts.length, 2, 'what the page asks is not kept');
  });

  test('sessions: two are compared', async ({page, r}) => {
    const other = await r.ask('sessions', {method: 'POST', body: '{"name":"branch"}'});
    await r.send('http.time:40|ms|#env:ci,route:/login\nqueue.depth:9|g\nbrand.new:1|c', other.dogstatsd.udp);
    await page.goto(r.url + '/#/sessions');
    await page.getByLabel('After').selectOption('branch');
    await page.getByRole('button', {name: 'Compare'}).click();
    await settled(page, '.added li', 'brand.new');
    await settled(page, '.removed li', 'login.attempt');
    await settled(page, '.compared td', 'queue.depth');
    await page.reload();
    await settled(page, '.added li', 'brand.new');
  });

  test('one metric: problems, and what can be copied', async ({page, r}) => {
    await r.send('Bad Name:1|c|#user_id:7');
    await page.goto(r.url + '/#/metrics/Bad%20Name?type=count');
    await settled(page, '.problems li');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', {name: 'Copy catalog entry'}).click();
    await settled(page, '#toast.on', 'Copied the catalog entry');
    assert.equal(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))['Bad Name'].type, 'count');
    await page.getByRole('button', {name: 'Copy JSON'}).click();
    await page.waitForFunction(() => navigator.clipboard.readText().then((t) => t.includes('"samples": 1')));
  });

  test('view: a finished run, its verdicts, and nothing that changes it', async ({page}) => {
    const {file, err} = await record('failed.db', ['login.attempt:1|c|#instance:failure', 'http.time:12|ms'], 'incr login.attempt sum == 2', 'timing http.time p95 < 50');
    assert.match(err, /statwit view/);
    const before = sum(file), v = await startView(binary, file);
    try {
      await page.goto(v.url);
      await settled(page, 'a.open', 'login.attempt');
      await settled(page, 'footer .state', 'Viewing');
      await page.getByRole('link', {name: /^Verdicts/}).click();
      await settled(page, '.judged h2', '1 passed, 1 failed');
      await settled(page, '.judged dd', 'sum is 1, expected sum == 2');
      await page.getByRole('link', {name: /^Sessions/}).click();
      await settled(page, 'main td a', 'default');
      for (const name of ['New session', 'Forget', 'Remove']) assert.equal(await page.getByRole('button', {name}).filter({visible: true}).count(), 0, name);
      assert.equal(await page.getByRole('link', {name: 'Live'}).count(), 0);
      await page.goto(`${v.url}#/metrics/http.time?type=timing&range=60`);
      await settled(page, '.chart .band');
      await page.goto(`${v.url}#/expect?e=incr+login.attempt+sum+%3D%3D+1`);
      await settled(page, '.verdict', '1 passed');
    } finally {
      await v.stop();
    }
    assert.equal(sum(file), before);
  });

  test('view: paths of markup, control bytes and what is not UTF-8 stay text', async ({page}) => {
    const {file} = await record('plain.db', ['a:1|c'], 'incr b');
    for (const name of PATHS) {
      const bytes = Buffer.from(`${folder}/${name}.db`, /\xff/.test(name) ? 'latin1' : 'utf8');
      copyFileSync(file, bytes);
      const v = await startView(binary, bytes);
      try {
        await page.goto(v.url);
        await settled(page, 'a.open', 'a');
        await page.locator('footer .file', {hasText: '.db'}).waitFor();
        assert.equal(await page.locator('footer .file :not(bdi)').count(), 0, name);
        if (!/[\n\xff]/.test(name)) assert.ok((await page.locator('footer .file').getAttribute('title')).endsWith(`${name}.db`), name);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways`);
      } finally {
        await v.stop();
      }
    }
  });

  test('view: two recordings side by side', async ({page}) => {
    const a = await record('a.db', ['same:1|c', 'first.thing:1|c']), b = await record('b.db', ['same:2|c', 'depth:5|g']);
    const before = [sum(a.file), sum(b.file)], v = await startView(binary, a.file, b.file);
    try {
      await page.goto(`${v.url}#/sessions`);
      await page.getByRole('button', {name: 'Compare'}).click();
      await settled(page, '.added li', 'depth');
      await settled(page, '.removed li', 'first.thing');
      await page.locator('.compared td a', {hasText: 'same'}).click();
      await page.locator('.figures div', {hasText: 'sum'}).locator('dd', {hasText: /^2$/}).waitFor();
      assert.match(page.url(), /session=2%3Adefault/);
    } finally {
      await v.stop();
    }
    assert.deepEqual([sum(a.file), sum(b.file)], before);
  });

  for (const [look, options] of [['light', {}], ['dark', {colorScheme: 'dark'}], ['380 px', {viewport: {width: 380, height: 780}}]])
    test(`dialogs, verdicts and comparing are accessible: ${look}`, async ({page, r}) => {
      await page.goto(r.url + '/#/verdicts');
      await settled(page, '.empty');
      await accessible(page, 'no verdicts');
      await expect(r, {expect: ['incr login.attempt sum == 4', 'incr login.atempt sum == 4', 'timing http.time p95 < 500']});
      await settled(page, '.judged');
      await page.locator('summary').first().click();
      await accessible(page, 'verdicts');
      await r.ask('sessions', {method: 'POST', body: '{"name":"branch"}'});
      await page.goto(r.url + '/#/sessions?a=default&b=branch');
      await settled(page, '.removed li');
      await accessible(page, 'compared');
      for (const open of [() => page.getByRole('button', {name: 'New session'}).click(), () => page.getByRole('button', {name: 'Remove branch'}).click(), () => page.keyboard.press('?')]) {
        await open();
        await page.locator('dialog').waitFor();
        await accessible(page, 'a dialog');
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({state: 'detached'});
      }
      await page.goto(r.url + '/#/metrics?q=nothing.like.this');
      await settled(page, '.empty');
      await accessible(page, 'no match');
      await page.goto(r.url + '/#/expect?e=incr+%3D');
      await settled(page, '.result');
      await accessible(page, 'a malformed expectation');
    }, options);
}
