// The list of metrics, of any length, and one metric beside it.
import assert from 'node:assert/strict';

// Metrics named so that the order of names is that of numbers.
export async function many(r, n) {
  for (let i = 0; i < n; i += 50) await r.send(Array.from({length: 50}, (_, k) => `a.m${String(i + k).padStart(5, '0')}:1|c`).join('\n'));
  await r.ask('status');
}

const NARROW = {viewport: {width: 380, height: 780}};
// In one go: between two looks the rows may be other ones.
const onScreen = (page) => page.evaluate(() => [...document.querySelectorAll('a.open')].filter((a) => {
  const {top, bottom} = a.getBoundingClientRect(), {top: from, bottom: to} = a.closest('.scroll').getBoundingClientRect();
  return top >= from + 36 && bottom <= to;
}).map((a) => a.textContent));
const waitFirst = (page, name) => page.waitForFunction((want) => [...document.querySelectorAll('a.open')].find((a) => a.getBoundingClientRect().top >= a.closest('.scroll').getBoundingClientRect().top + 36)?.textContent === want, name);
const scrollTo = (page, row) => page.evaluate((n) => { document.querySelector('.metrics').closest('.scroll').scrollTop = n * 40; }, row);

export function browseTests({test, settled, accessible}) {
  for (const [look, options] of [['wide', {}], ['380 px', NARROW]])
    test(`metrics: of a long list only what is on screen is made, and it is all there: ${look}`, async ({page, r}) => {
      await many(r, 3000);
      await page.goto(`${r.url}/`);
      await waitFirst(page, 'a.m00000');
      assert.ok(await page.locator('a.open').count() < 50, 'rows that nobody sees');
      const {table, row} = await page.evaluate(() => ({table: document.querySelector('.metrics').clientWidth, row: [...document.querySelector('.metrics tbody:not(.gap) tr').cells].reduce((n, c) => n + c.offsetWidth, 0)}));
      assert.ok(Math.abs(table - row) < 2, `the columns take ${row} of ${table} px`);
      const {scrollHeight, clientHeight} = await page.evaluate(() => { const {scrollHeight, clientHeight} = document.querySelector('.metrics').closest('.scroll'); return {scrollHeight, clientHeight}; });
      assert.equal(scrollHeight, 3004 * 40 + 36, 'a row has 40 px');
      await scrollTo(page, 1500);
      await waitFirst(page, 'a.m01500');
      const names = await onScreen(page);
      assert.deepEqual(names, names.map((_, i) => `a.m${1500 + i}`.replace('m', 'm0')), 'no row is missing, none twice');
      assert.ok(names.length >= Math.floor((clientHeight - 36) / 40) - 1, `${names.length} rows on ${clientHeight} px`);
      assert.equal(await page.locator('tr[aria-rowindex="1502"] a.open').textContent(), 'a.m01500');
      await page.waitForFunction(() => location.hash.includes('offset=1500'));
      await page.reload();
      await waitFirst(page, 'a.m01500');
      await page.locator('a.open', {hasText: 'a.m01503'}).click();
      await settled(page, 'h1', 'a.m01503');
      await page.goBack();
      await waitFirst(page, 'a.m01500');
      await scrollTo(page, 3004);
      await settled(page, 'a.open', 'users');
      await page.locator('#search').fill('m0199*');
      await page.locator('main [role=status]', {hasText: '0 metrics'}).waitFor();
      await page.locator('#search').fill('m0199');
      await page.locator('main [role=status]', {hasText: '10 metrics'}).waitFor();
      await waitFirst(page, 'a.m01990');
      assert.ok(!page.url().includes('offset'));
    }, options);

  test('metrics: keys go through a long list, and do not lose their place when it scrolls', async ({page, r}) => {
    await many(r, 500);
    await page.goto(`${r.url}/`);
    await waitFirst(page, 'a.m00000');
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press(i % 2 ? 'j' : 'ArrowDown');
      await page.waitForFunction((want) => document.activeElement.textContent === want, `a.m${String(i).padStart(5, '0')}`);
    }
    assert.ok((await onScreen(page)).includes('a.m00059'), 'what has the focus is seen');
    await scrollTo(page, 300);
    await page.waitForFunction(() => document.activeElement.matches('.scroll'));
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.activeElement.textContent === 'a.m00058');
    for (let i = 57; i > 40; i--) {
      await page.keyboard.press('k');
      await page.waitForFunction((want) => document.activeElement.textContent === want, `a.m${String(i).padStart(5, '0')}`);
    }
    assert.ok((await onScreen(page)).includes('a.m00041'));
  });

  test('metrics: a list that becomes shorter while its end is looked at', async ({page, r}) => {
    await many(r, 1000);
    await page.goto(`${r.url}/#/metrics?offset=990`);
    await settled(page, 'a.open', 'users');
    await r.ask('reset', {method: 'POST'});
    await r.send('left.over:1|c');
    await settled(page, 'a.open', 'left.over');
    await page.locator('main [role=status]', {hasText: /^1 metric$/}).waitFor();
  });

  test('from 900 px on one metric stands beside the list', async ({page, r}) => {
    await page.goto(`${r.url}/`);
    await page.locator('a.open', {hasText: 'http.time'}).click();
    await settled(page, '.beside h1', 'http.time');
    await settled(page, 'tr.at a.open', 'http.time');
    const box = (selector) => page.locator(selector).first().boundingBox();
    assert.ok((await box('.pane table')).x + (await box('.pane table')).width <= (await box('h1.title')).x, 'the metric is right of the list');
    assert.equal(await page.locator('tr[aria-current=true]').count(), 1);
    await page.locator('#search').fill('http'); // the address of both
    await page.locator('main [role=status]', {hasText: '1 metric'}).waitFor();
    assert.match(page.url(), /metrics\/http\.time\?type=timing&q=http/);
    await page.reload();
    await settled(page, '.beside h1', 'http.time');
    await page.locator('main [role=status]', {hasText: '1 metric'}).waitFor();
    await page.getByRole('link', {name: '5 min', exact: true}).click();
    await page.waitForFunction(() => location.hash.includes('range=300'));
    assert.match(page.url(), /q=http/);
    await page.waitForFunction(() => document.activeElement.textContent === '5 min');
    await page.getByRole('link', {name: 'Close'}).click();
    await page.locator('.beside').waitFor({state: 'detached'});
    assert.match(page.url(), /#\/metrics\?q=http$/);
    await page.goBack();
    await settled(page, '.beside h1', 'http.time');
    await page.setViewportSize({width: 890, height: 800});
    await settled(page, '.back', 'All metrics');
    assert.equal(await page.locator('a.open').count(), 0, 'no list that nobody sees');
    await page.locator('.back').click();
    await page.locator('main [role=status]', {hasText: '1 metric'}).waitFor();
    assert.equal(await page.locator('#search').inputValue(), 'http');
    await page.locator('a.open').click();
    await settled(page, '.back', 'All metrics');
    await page.setViewportSize({width: 900, height: 800});
    await settled(page, '.beside a.open', 'http.time');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });

  test('the list beside a metric: keys open one after the other, Enter again goes into it, Esc comes back', async ({page, r}) => {
    await many(r, 200);
    await page.goto(`${r.url}/#/metrics?offset=30`);
    await waitFirst(page, 'a.m00030');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await settled(page, '.beside h1', 'a.m00030');
    const row = await page.locator('a.open', {hasText: 'a.m00032'}).elementHandle();
    for (const key of ['j', 'j', 'Enter']) await page.keyboard.press(key);
    await settled(page, '.beside h1', 'a.m00032');
    assert.ok(await row.evaluate((a) => a.isConnected && a === document.activeElement), 'the list stays as it is, with the focus');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement.getAttribute('aria-label') === 'Metric');
    await page.keyboard.press('Escape');
    await page.locator('.beside').waitFor({state: 'detached'});
    await page.waitForFunction(() => document.activeElement.textContent === 'a.m00032');
    await page.goto('about:blank');
    await page.goto(`${r.url}/#/metrics/a.m00003?type=count`);
    await settled(page, 'tr.at a.open', 'a.m00003');
    await page.keyboard.press('j');
    await page.waitForFunction(() => document.activeElement.textContent === 'a.m00004');
  });

  test('metrics: another session has its own rows and links', async ({page, r}) => {
    const {dogstatsd} = await r.ask('sessions', {method: 'POST', body: '{"name":"other"}'});
    await r.send('login.attempt:40|c\nmine.only:1|c', dogstatsd.udp);
    await r.ask('status');
    await page.goto(`${r.url}/`);
    await settled(page, 'a.open', 'users');
    await page.locator('#session option', {hasText: 'other'}).waitFor({state: 'attached'});
    await page.locator('#session').selectOption('other');
    await settled(page, 'a.open', 'mine.only');
    assert.deepEqual(await page.locator('a.open').allInnerTexts(), ['login.attempt', 'mine.only']);
    await page.locator('a.open', {hasText: 'login.attempt'}).click();
    await settled(page, '.beside .figures dd', /^40$/);
    assert.match(page.url(), /session=other/);
    await page.locator('#session').selectOption('default');
    await settled(page, 'a.open', 'users');
    await page.locator('a.open', {hasText: 'login.attempt'}).click();
    await settled(page, '.beside .figures dd', /^4$/);
    assert.doesNotMatch(page.url(), /session=/);
  });

  test('metrics: the answer to an old question does not use up the new place', async ({page, r}) => {
    await many(r, 500);
    await page.goto(`${r.url}/#/metrics?q=m00001`);
    await page.locator('main [role=status]', {hasText: /^1 metric$/}).waitFor();
    let held = null;
    const holding = new Promise((resolve) => {
      page.route('**/metrics?*', async (route) => {
        if (held) return route.continue();
        held = route;
        resolve();
      });
    });
    await holding;
    await page.evaluate(() => { location.hash = '#/metrics?offset=300'; });
    await page.waitForFunction(() => document.querySelector('#search').value === '');
    await held.continue();
    await waitFirst(page, 'a.m00300');
    await page.unrouteAll({behavior: 'ignoreErrors'});
  });

  test('metrics: an offset that is no number of a row asks for nothing strange', async ({page, r}) => {
    await many(r, 100);
    const refused = [];
    page.on('response', (a) => { if (a.status() >= 400) refused.push(a.url()); });
    for (const [offset, want] of [['abc', 'a.m00000'], ['12.5', 'a.m00012'], ['-3', 'a.m00000']]) {
      await page.goto('about:blank');
      await page.goto(`${r.url}/#/metrics?offset=${offset}`);
      await waitFirst(page, want);
    }
    for (const offset of ['5e9', 'Infinity']) {
      await page.goto('about:blank');
      await page.goto(`${r.url}/#/metrics?offset=${offset}`);
      await settled(page, 'a.open', 'users');
    }
    assert.deepEqual(refused, []);
  });

  test('metrics: whoever scrolls without rest asks at most five times a second', async ({page, r}) => {
    await many(r, 3000);
    await page.goto(`${r.url}/`);
    await waitFirst(page, 'a.m00000');
    let asked = 0;
    page.on('request', (q) => { if (/v1\/metrics\?/.test(q.url())) asked++; });
    const began = performance.now();
    await page.evaluate(async () => {
      const scroll = document.querySelector('.metrics').closest('.scroll');
      for (let i = 1; i <= 70; i++) {
        scroll.scrollTop = i * 1600;
        await new Promise(requestAnimationFrame);
      }
    });
    await settled(page, 'a.open', 'a.m02800'); // until then it asks
    const took_ms = performance.now() - began;
    assert.ok(asked <= took_ms / 200 + took_ms / 1000 + 6, `${asked} questions in ${took_ms} ms`);
  });

  test('one metric: arrows scroll it, below 900 px and beside the list', async ({page, r}) => {
    await page.setViewportSize({width: 380, height: 500});
    await page.goto(`${r.url}/#/metrics/http.time?type=timing`);
    for (const width of [380, 1000]) {
      await page.setViewportSize({width, height: 500});
      await settled(page, '.chart .band');
      await page.waitForFunction(() => { const m = document.querySelector('[aria-label=Metric]'); return m.scrollHeight > m.clientHeight; });
      await page.locator('[aria-label=Metric]').focus();
      await page.keyboard.press('ArrowDown');
      await page.waitForFunction(() => document.querySelector('[aria-label=Metric]').scrollTop > 0);
      await page.keyboard.press('End');
      await page.keyboard.press('Home');
      await page.waitForFunction(() => document.querySelector('[aria-label=Metric]').scrollTop === 0);
      assert.ok(await page.evaluate(() => document.activeElement.matches('[aria-label=Metric]')), 'the focus stays');
    }
    await settled(page, '.beside a.open', 'users');
    await page.keyboard.press('j');
    await page.waitForFunction(() => document.activeElement.matches('a.open'));
  });

  for (const [look, options] of [['light', {}], ['dark', {colorScheme: 'dark'}]])
    test(`the list beside a metric is accessible, also at 900 px: ${look}`, async ({page, r}) => {
      await many(r, 200);
      await page.goto(`${r.url}/#/metrics/http.time?type=timing&tag=env:ci&q=t`);
      for (const width of [1280, 900]) {
        await page.setViewportSize({width, height: 800});
        await settled(page, '.beside .chart .band');
        await settled(page, 'a.open', 'http.time');
        await accessible(page, `${width} px`);
      }
      await page.goto(`${r.url}/#/metrics?offset=100`);
      await settled(page, 'a.open', 'a.m00110');
      await accessible(page, 'a scrolled list');
    }, options);
}
