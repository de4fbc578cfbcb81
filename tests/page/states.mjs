// What a screen says when things are not as they should be, and that what it shows stays readable; and what keeps its place in a flood.
import assert from 'node:assert/strict';

export function stateTests({test, settled, chart}) {
  // What SQLite still has in memory of a file that was cut short is answered; so the answer is made up here.
  test('state: a recording that cannot be read any more', async ({page, r}) => {
    const broken = (route) => route.fulfill({status: 500, contentType: 'application/json', body: '{"error":"cannot read the recording: database disk image is malformed"}'});
    await page.goto(`${r.url}/#/metrics`);
    await settled(page, 'a.open', 'users');
    const before = await page.locator('a.open').count();
    await page.route('**/recorder/v1/metrics?*', broken);
    await settled(page, '#notice', 'The server says: cannot read the recording');
    assert.equal(await page.locator('a.open').count(), before, 'what was read is still there');
    await page.unroute('**/recorder/v1/metrics?*', broken);
    await page.locator('#notice:empty').waitFor({state: 'attached'});
    await page.route('**/recorder/v1/timeline?*', broken);
    await page.locator('a.open', {hasText: 'http.time'}).click();
    await settled(page, '#notice', 'malformed');
    await settled(page, '.figures', 'samples');
    await page.goBack();
    await page.locator('#notice:empty').waitFor({state: 'attached'});
  });

  test('state: a session ends while it is looked at, kept and not kept', async ({page, r}) => {
    for (const keep of ['?keep=1', '']) {
      const name = keep ? 'kept' : 'removed';
      const session = await r.ask('sessions', {method: 'POST', body: JSON.stringify({name})});
      await r.send('mine.only:1|c', session.dogstatsd.udp);
      await page.goto('about:blank');
      await page.goto(`${r.url}/#/metrics?session=${name}`);
      await settled(page, 'a.open', 'mine.only');
      await r.ask(`sessions/${name}${keep}`, {method: 'DELETE'});
      await settled(page, '#notice', keep ? 'has ended' : 'There is no session removed');
      await settled(page, 'a.open', 'mine.only');
      await page.getByRole('link', {name: 'Show default'}).click();
      await settled(page, 'a.open', 'users');
      await page.locator('#notice:empty').waitFor({state: 'attached'});
    }
  });

  test('state: a session that never was', async ({page, r}) => {
    await page.goto(`${r.url}/#/metrics?session=never.was`);
    await settled(page, '#notice', 'There is no session never.was');
    assert.equal(await page.locator('table.list:visible').count(), 0);
  });

  test('state: history that was dropped, and an empty screen of each kind', async ({page, r}) => {
    await r.ask('sessions', {method: 'POST', body: '{"name":"empty"}'});
    for (let i = 0; i < 60; i++) await r.send(Array(50).fill(`old.one:${i}|g`).join('\n'));
    await r.ask('status');
    await page.goto(`${r.url}/#/metrics`);
    await settled(page, '.lost', 'lost');
    await page.locator('.lost').click();
    await settled(page, '.losses', 'samples removed by --retention-age or --retention-samples');
    for (const [hash, words] of [['#/rejects', 'Nothing was refused'], ['#/events', 'No events, no service checks'], ['#/verdicts', 'Nothing was judged'], ['#/metrics', 'Waiting for the first metric'],
      ['#/metrics?q=nothing.like', 'No metric matches'], ['#/metrics/not.here', 'Nothing of this metric']]) {
      await page.goto(`${r.url}/${hash}${hash.includes('?') ? '&' : '?'}session=empty`);
      await settled(page, 'main', words);
    }
  }, '--retention-samples', '1000');

  test('live: in a flood a metric keeps its row, and what is new comes on top', async ({page, r}) => {
    await page.goto(`${r.url}/#/live`);
    await settled(page, '.live td', 'users');
    let stopped = false;
    const flood = (async () => { while (!stopped) { await r.send(Array.from({length: 120}, (_, i) => `busy.m${i % 6}:${i}|g`).join('\n')); await new Promise((resolve) => setTimeout(resolve, 5)); } })();
    try {
      await page.locator('.live tr', {hasText: 'busy.m3'}).locator('.times', {hasText: '×'}).first().waitFor();
      const row = await page.locator('.live tr', {hasText: 'busy.m3'}).filter({has: page.locator('.times:not(:empty)')}).first().elementHandle();
      const value = () => row.evaluate((tr) => tr.isConnected && tr.querySelector('.c-time').textContent);
      const before = await value();
      await page.waitForFunction(([tr, was]) => tr.querySelector('.c-time').textContent !== was, [row, before]);
      assert.ok(await value(), 'the row was updated where it stands');
      await r.send('brand.new:1|c');
      await page.locator('.live tr.new', {hasText: 'brand.new'}).waitFor();
      assert.equal(await page.locator('.live tr', {hasText: 'busy.m3'}).filter({has: page.locator('.times:not(:empty)')}).count(), 1, 'one row a metric');
    } finally {
      stopped = true;
      await flood;
    }
    await page.waitForFunction(() => /all shown/i.test(document.querySelector('.tools').textContent) || document.querySelector('.tools').textContent.includes('×n'));
    assert.ok(await page.locator('.live tbody tr').count() <= 300);
  });

  test('one metric: values of a tag are searched, the chart is read while it is drawn anew, and its expectation holds', async ({page, r}) => {
    for (let i = 0; i < 60; i++) await r.send(`wide:${472.3 + i}|ms|#user:u${i},env:ci`);
    await r.ask('status');
    await page.goto(`${r.url}/#/metrics/wide?type=timing`);
    await settled(page, '.key', '60 values');
    const search = page.getByLabel('Search the values of user');
    await search.fill('u5');
    await page.waitForFunction(() => [...document.querySelectorAll('.key')].some((k) => k.textContent.includes('60 values') && k.querySelectorAll('li').length === 11));
    await search.fill('nobody');
    await settled(page, '.key', 'No value like this');
    await chart(page).focus();
    for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowLeft');
    await settled(page, '.tip', 'no samples');
    const at = await chart(page).getAttribute('data-at');
    await chart(page).evaluate((box) => { box.dataset.old = 'yes'; });
    await r.send('wide:1|ms|#user:u1,env:ci');
    await page.locator('.chartbox[role=group]:not([data-old])').waitFor();
    assert.equal(await chart(page).getAttribute('data-at'), at, 'the same moment is read');
    assert.ok(await chart(page).evaluate((box) => box === document.activeElement), 'the focus stays');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', {name: 'Copy expectation'}).click();
    await settled(page, '#toast.on', 'Copied the expectation');
    const line = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(line, /^timing wide samples == \d+ and p95 <= \d+$/);
    assert.equal((await r.ask('expect', {method: 'POST', body: JSON.stringify({expect: [line], keep: false})})).verdict, 'pass', line);
  });

  test('metrics: the last minute is there at once, also what came before anybody looked', async ({page, r}) => {
    await page.goto(`${r.url}/`);
    await settled(page, 'a.open', 'users');
    await page.waitForFunction(() => [...document.querySelectorAll('.spark')].filter((s) => [...s.querySelectorAll('path:not(.base)')].some((p) => p.getAttribute('d'))).length >= 4);
    await page.clock.install();
    await page.reload();
    await page.waitForFunction(() => [...document.querySelectorAll('.spark path:not(.base)')].some((p) => p.getAttribute('d')));
    for (let i = 0; i < 20; i++) await r.send('late.one:1|c'); // while the page sleeps
    await r.ask('status');
    await page.clock.fastForward(20000);
    await settled(page, 'a.open', 'late.one');
  });
}
