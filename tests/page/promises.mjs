// What the page promises of keys, motion, addresses and sums.
import assert from 'node:assert/strict';

export function promiseTests({test, settled, chart}) {
  test('keys: none with Ctrl, Alt or Meta, none while somebody types', async ({page, r}) => {
    await page.goto(`${r.url}/`);
    await settled(page, 'a.open', 'users');
    for (const key of ['Control+3', 'Alt+3', 'Meta+3', 'Alt+j']) await page.keyboard.press(key);
    await page.locator('#search').focus();
    await page.keyboard.type('j2?kc 7');
    assert.equal(await page.locator('#search').inputValue(), 'j2?kc 7');
    assert.equal(await page.title(), 'Metrics · statwit');
    assert.equal(await page.locator('dialog').count(), 0);
    await page.keyboard.press('Escape'); // leaves the field, and the keys are keys again
    await page.keyboard.press('3');
    await page.waitForFunction(() => document.title === 'Rejects · statwit');
  });

  test('all by keyboard: what has the focus is seen, on every screen', async ({page, r}) => {
    for (const [hash, shown] of [['#/metrics', 'a.open'], ['#/metrics/http.time?type=timing', '.key a'], ['#/live', '.live td a'], ['#/rejects', '.reject'], ['#/events', '.event'],
      ['#/expect?e=incr+login.attempt', '.result'], ['#/verdicts', '.judged'], ['#/sessions', 'main td a']]) {
      await page.goto('about:blank');
      await page.goto(`${r.url}/${hash}`);
      await settled(page, shown);
      const reached = new Set();
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab');
        const {what, seen, main} = await page.evaluate(() => {
          const e = document.activeElement, style = getComputedStyle(e);
          return {what: `${e.tagName} ${e.className} ${e.textContent.slice(0, 40)}`, main: Boolean(e.closest('main')), seen: e === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1)};
        });
        assert.ok(seen, `${hash}: ${what} has the focus, and nobody sees it`);
        if (main) reached.add(what);
      }
      assert.ok(reached.size > 0, `${hash}: the keyboard does not come to its content`);
    }
  });

  test('nothing moves for who wants no motion', async ({page, r}) => {
    await r.ask('sessions', {method: 'POST', body: '{"name":"empty"}'});
    const moving = () => page.locator('.waiting h2').evaluate((h) => getComputedStyle(h, '::before').animationName);
    await page.goto(`${r.url}/#/metrics?session=empty`);
    await settled(page, '.waiting');
    assert.equal(await moving(), 'pulse');
    await page.emulateMedia({reducedMotion: 'reduce'});
    assert.equal(await moving(), 'none');
  });

  test('without JavaScript the page names the commands that show the same', async ({page, r}) => {
    await page.goto(`${r.url}/`);
    for (const command of ['statwit ls', 'samples -f', 'rejects', 'expect', 'diff']) await settled(page, 'noscript code', command); // its own text is not looked at
  }, {javaScriptEnabled: false});

  test('back and reload restore Live, Rejects, Events, Sessions and a metric', async ({page, r}) => {
    const screens = [['#/live?name=queue.*&tag=', 'Live', '.live td', 'queue.depth'], ['#/rejects?reason=invalid_type', 'Rejects', '.chip[aria-pressed=true]', 'invalid type'], ['#/events', 'Events', '.event', 'Deploy'],
      ['#/metrics/http.time?type=timing&tag=env%3Aprod&range=300', 'http.time', '.ranges a[aria-current]', '5 min'], ['#/sessions', 'Sessions', 'main td a', 'default']];
    for (const [hash, title, selector, words] of screens) {
      await page.goto(`${r.url}/${hash}`);
      await settled(page, selector, words);
      await page.reload();
      await settled(page, selector, words);
      assert.equal(await page.title(), `${title} · statwit`);
    }
    for (const [, title, selector, words] of [...screens].reverse().slice(1)) {
      await page.goBack();
      await settled(page, selector, words);
      assert.equal(await page.title(), `${title} · statwit`);
    }
    assert.equal(await page.locator('.live tbody tr').count(), 1);
    assert.equal(await page.locator('#search').inputValue(), 'queue.*');
  });

  test('expect: what was written is kept, for each session', async ({page, r}) => {
    await r.ask('sessions', {method: 'POST', body: '{"name":"other"}'});
    await page.goto(`${r.url}/#/expect`);
    await page.locator('textarea').fill('incr mine');
    await page.goto(`${r.url}/#/expect?session=other`);
    await page.waitForFunction(() => document.querySelector('textarea')?.value === '');
    await page.locator('textarea').fill('incr theirs');
    await page.goto('about:blank');
    await page.goto(`${r.url}/#/expect`);
    assert.equal(await page.locator('textarea').inputValue(), 'incr mine');
  });

  test('one metric: the sums in the chart are those of its series', async ({page, r}) => {
    for (let i = 0; i < 50; i++) await r.send(`summed:${i}|c|@0.5|#k:${i % 3}`);
    const {series} = await r.ask('series?name=summed'), sum = series.reduce((n, s) => n + s.sum, 0);
    const answer = page.waitForResponse((a) => a.url().includes('/timeline?'));
    await page.goto(`${r.url}/#/metrics/summed?type=count`);
    const line = await (await answer).json();
    assert.equal(line.sum.reduce((n, v) => n + v, 0), sum);
    await chart(page).waitFor();
    assert.equal(await chart(page).locator('.bar').count(), line.sum.filter(Boolean).length);
    assert.equal(await page.locator('.figures div', {hasText: 'sum'}).locator('dd').getAttribute('title'), String(sum));
    await chart(page).focus();
    let read = 0;
    for (let i = 0; i < 60 && read < sum; i++) { // the newest bucket, of a second, first
      await page.keyboard.press(i ? 'ArrowLeft' : 'ArrowRight');
      const found = /sum ([\d,]+)/.exec(await page.locator('.tip').first().innerText());
      if (found) read += Number(found[1].replaceAll(',', ''));
    }
    assert.equal(read, sum);
  });
}
