// The frame's own: the bar, keys, the token, files to keep; and what a screen says while there is nothing.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {WICKED} from './wicked.mjs';

export function frameTests({test, settled, accessible}) {
  test('bar: where to send, and what was lost in a dialog', async ({page, r}) => {
    await page.goto(`${r.url}/#/metrics`);
    await settled(page, 'footer .mono', r.ready.dogstatsd.udp);
    await page.getByRole('button', {name: 'Nothing lost'}).click();
    await settled(page, 'dialog', 'every verdict on this recording stands on all that was sent');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({state: 'detached'});
  });

  test('keys: arrows go through the list, c copies the expectation', async ({page, r}) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`${r.url}/`);
    await settled(page, 'a.open', 'users');
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    await settled(page, 'h1', 'login.attempt');
    await page.getByRole('button', {name: 'Copy expectation'}).waitFor();
    await page.keyboard.press('c');
    await settled(page, '#toast.on', 'Copied the expectation');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'incr login.attempt sum == 4');
  });

  test('a token put into the address of an open page, one that cannot be read, one that is not Latin', async ({page, r}) => {
    await page.goto(`${r.url}/`);
    await page.locator('dialog input').waitFor();
    await page.evaluate(() => { location.hash = '#token=%E2%82%AC100%'; }); // a % that is one
    await settled(page, 'dialog', 'This was not it');
    assert.ok(!page.url().includes('token'));
    await page.evaluate(() => { location.hash = `#token=${encodeURIComponent('100% €')}`; });
    await settled(page, '.empty', 'Waiting for the first metric');
    assert.equal(await page.locator('dialog').count(), 0);
    assert.ok(!page.url().includes('token'));
    const other = await page.context().newPage();
    await other.goto(`${r.url}/#token=100%`);
    await settled(other, 'dialog', 'This server asks for its token');
    await r.send('with.token:1|c');
    await page.goto(`${r.url}/#/sessions`);
    await page.getByRole('button', {name: 'Export what default recorded'}).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: 'DogStatsD lines'}).click()]);
    assert.equal(readFileSync(await download.path(), 'utf8'), 'with.token:1|c\n');
  }, '--token', '100% €');

  test('sessions: what one recorded, as a file of each format', async ({page, r}) => {
    await page.goto(`${r.url}/#/sessions`);
    for (const [name, format, file] of [['JSON', 'jsonl', 'default.jsonl'], ['CSV', 'csv', 'default.csv'], ['DogStatsD', 'dogstatsd', 'default.txt'], ['OpenMetrics', 'openmetrics', 'default.prom']]) {
      await page.getByRole('button', {name: 'Export what default recorded'}).click();
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name}).click()]);
      assert.equal(download.suggestedFilename(), file);
      assert.equal(readFileSync(await download.path(), 'utf8'), await (await fetch(`${r.url}/recorder/v1/export?format=${format}`)).text());
    }
  });

  test('numbers have at most four digits; the caret stands under its place, whatever the text', async ({page, r}) => {
    await page.goto(`${r.url}/`);
    const shown = await page.evaluate(async () => (await import('/page/format.js')).number && [0, 9999, 12345, 99999, 999950, -12345, 1e6, 1234567890, 5e14, 2.5e16, 0.123456, 0.00001, null].map((await import('/page/format.js')).number));
    assert.deepEqual(shown, ['0', '9,999', '12.3k', '100k', '1M', '-12.3k', '1M', '1.23G', '500T', '2.50e+16', '0.1235', '1.00e-5', '–']);
    await r.send('\u202eab\u200b\u2067\u05d0c:1|zz');
    await page.goto(`${r.url}/#/rejects`);
    await settled(page, '.reject pre', '·ab··\u05d0c:1|zz');
    const [line, caret] = (await page.locator('.reject pre', {hasText: '·ab··'}).innerText()).split('\n');
    const place = await page.locator('.reject pre', {hasText: '·ab··'}).evaluate((pre) => pre.querySelector('mark').getBoundingClientRect().left - pre.querySelector('.caret').getBoundingClientRect().left);
    assert.equal(caret.indexOf('^'), line.indexOf('zz'));
    assert.ok(Math.abs(place) < 2, `the caret is ${place} px away`);
  });

  test('one metric: the expectation that is copied holds, whatever the name and the tags', async ({page, r}) => {
    for (const text of WICKED.filter((t) => !/^[*?]$/.test(t))) { // which fit others: the screen says so
      const name = text.replaceAll(':', ';').replaceAll('|', '/'), tag = text.replaceAll(',', ';').replaceAll('|', '/');
      await r.send(`${name}:1|c|#${tag},k:${tag}`);
      await r.send(`same:7|g|#${tag},k:${tag}`);
    }
    await page.goto(`${r.url}/`);
    const {metrics} = await r.ask('metrics?limit=1000'), lines = await page.evaluate(async (list) => {
      const {expectation} = await import('/page/metric.js');
      return list.map((m) => expectation(m, [], null));
    }, metrics.filter((m) => !m.name_b64));
    for (const m of metrics) for (const s of (await r.ask(`series?limit=1000&type=${m.type}&name=${encodeURIComponent(m.name)}`)).series.filter((one) => one.name === m.name && !one.name_b64 && !one.tags_b64 && one.tags.length === 2)) {
      const found = (await r.ask(`metrics?type=${s.type}&name=${encodeURIComponent(s.name)}${s.tags.map((t) => `&tag=${encodeURIComponent(t)}`).join('')}`)).metrics.find((one) => one.name === s.name);
      if (found) lines.push(await page.evaluate(async ([one, tags]) => (await import('/page/metric.js')).expectation(one, tags, null), [found, s.tags]));
    }
    assert.ok(lines.length > 80, `${lines.length} lines`);
    const failed = [];
    for (const line of lines) {
      const report = await r.ask('expect', {method: 'POST', body: JSON.stringify({expect: [line], keep: false})});
      if (report.verdict !== 'pass') failed.push(`${line.slice(0, 200)}: ${report.error || report.results[0].why}`.slice(0, 400));
    }
    assert.deepEqual(failed, []);
  });

  for (const [look, options] of [['light', {}], ['dark', {colorScheme: 'dark'}], ['380 px', {viewport: {width: 380, height: 780}}]]) {
    test(`the token's dialog is accessible: ${look}`, async ({page, r}) => {
      await page.goto(`${r.url}/`);
      await page.locator('dialog input').waitFor();
      await accessible(page, 'the token');
      await page.locator('dialog input').fill('wrong');
      await page.keyboard.press('Enter');
      await settled(page, 'dialog', 'This was not it');
      await accessible(page, 'a wrong token');
    }, options, '--token', 'secret');

    test(`dialogs of losses, exports and a text to copy, and Live without samples, are accessible: ${look}`, async ({page, r}) => {
      await r.ask('sessions', {method: 'POST', body: '{"name":"empty"}'});
      await page.addInitScript(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); });
      await page.goto(`${r.url}/#/live?session=empty`);
      await settled(page, '.none', 'Nothing has come yet');
      await accessible(page, 'Live, empty');
      await page.locator('#search').fill('a*');
      await settled(page, '.none', 'Nothing that fits');
      await page.goto(`${r.url}/#/sessions`);
      await settled(page, 'main td a', 'empty');
      for (const open of [() => page.locator('footer .kept').click(), () => page.getByRole('button', {name: 'Export what default recorded'}).click(), () => page.getByRole('button', {name: 'Copy the environment of default'}).or(page.getByRole('button', {name: 'Copy env'})).first().click(),
        () => page.getByRole('button', {name: 'Forget what default recorded'}).click()]) {
        await open();
        await page.locator('dialog').waitFor();
        await accessible(page, 'a dialog');
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({state: 'detached'});
      }
    }, options);
  }
}
