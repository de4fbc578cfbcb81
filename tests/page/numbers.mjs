// What the page costs, beside what it may cost. The table is printed; only what does not depend on the machine's speed is required
// here: a line begins with "FAIL" then. As root, the server goes before other work of the machine. PAGE_MINUTES=5 watches all screens for so long, side by side, and tells of memory from minute 1 on.
import {readdirSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import {FIRST, asks, cpu_s, fill, first, flood, hidden, part, reacts, seen, shareOf, wait, watch} from './measure.mjs';
import {startRecorder} from './recorder.mjs';

const RATE = 100000, METRICS = 1000, SERIES = 100000, TABS = 6;
const MINUTES = Number(process.env.PAGE_MINUTES || 0), WATCH_MS = 4000;
const SCREENS = [['Metrics', '#/metrics', 'a.open'], ['one metric', '#/metrics/flood.m1?type=timing', '.figures dd'], ['Live', '#/live', '.live td'],
  ['Rejects', '#/rejects', '.reject'], ['Events', '#/events', '.event'], ['Expect', '#/expect?e=incr+flood.m0+count+%3E%3D+1', '.result'],
  ['Verdicts', '#/verdicts', '.empty'], ['Sessions', '#/sessions', 'main td a']];
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const ms = (n) => `${n.toFixed(0)} ms`;

export async function numbers(binary, browser, assets) {
  const rows = [];
  let failed = 0;
  const say = (what, wanted, got, holds = true) => {
    rows.push([what, wanted, got]);
    if (!holds) { console.log(`FAIL ${what}: ${got}, not ${wanted}`); failed++; }
  };

  const sayHeap = (name, heaps, time) => {
    const growth = heaps[heaps.length - 1] - heaps[0];
    say(`${name}: heap`, '≤ 20 MB', `${heaps[heaps.length - 1].toFixed(1)} MB`, heaps[heaps.length - 1] <= 20);
    say(`${name}: heap growth`, '< 2 MB in 4 min', `${growth.toFixed(2)} MB in ${time}`, growth < 10);
  };

  const files = readdirSync(assets).filter((f) => !/\.[ch]$/.test(f)), text = (f) => readFileSync(path.join(assets, f), 'utf8');
  const size = files.reduce((n, f) => n + statSync(path.join(assets, f)).size, 0);
  say('assets', '≤ 150 kB', `${(size / 1000).toFixed(0)} kB`, size <= 150000);
  const makers = files.filter((f) => /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/.test(text(f)) || (f.endsWith('.html') && /style=|\son[a-z]+=/.test(text(f))));
  say('files that make markup from text', '0', String(makers.length), makers.length === 0);

  const r = await startRecorder([...FIRST, binary]), pid = r.ready.pid;
  const headers = (await fetch(`${r.url}/`)).headers;
  say('Content-Security-Policy', 'as in the specification', headers.get('content-security-policy') === POLICY ? 'as in the specification' : 'another', headers.get('content-security-policy') === POLICY);
  say('cookies', '0', String(headers.getSetCookie().length), headers.getSetCookie().length === 0);
  const foreign = await fetch(`${r.url}/recorder/v1/sessions`, {method: 'POST', body: '{}', headers: {Origin: 'http://evil.example'}});
  say('a change with a foreign Origin', '403', String(foreign.status), foreign.status === 403);

  const few = await first(browser, `${r.url}/`, '.empty');
  say('first paint', '≤ 300 ms', ms(few.paint_ms));
  await r.ask('sessions', {method: 'POST', body: '{"name":"other"}'});
  await r.send('mine:1|c', (await r.ask('sessions/other')).dogstatsd.udp);
  await r.send('_e{6,4}:Deploy|done\nbad:1|zz');
  const stop = flood(r, RATE, METRICS);
  await wait(2000);
  const begun = await first(browser, `${r.url}/`, 'a.open');
  say(`${METRICS} metrics in the flood: first rows`, '≤ 700 ms', ms(begun.rows_ms));
  const share = await shareOf(pid, 6000);
  say('server alone in the flood', '', `${share.toFixed(3)} cores`);
  for (const [name, hash, ready] of SCREENS) {
    const cpu = cpu_s(pid), began = performance.now();
    const w = await watch(browser, `${r.url}/${hash}`, ready, WATCH_MS);
    const its = (cpu_s(pid) - cpu) / ((performance.now() - began) / 1000);
    // How much is asked for depends on how fast the machine answers: only a tab that runs away fails.
    say(`${name}, ${RATE / 1000}k samples/s: received`, '≤ 100 kB/s', `${w.kB.toFixed(1)} kB/s`, w.kB <= 1000);
    say(`${name}: requests`, '≤ 6 /s', `${w.requests.toFixed(1)} /s`, w.requests <= 20);
    say(`${name}: waits for one kind of answer`, '≤ 0.10 of the time', w.waited.toFixed(2));
    say(`${name}: the tab's main thread`, '≤ 0.25', w.busy.toFixed(2));
    say(`${name}: tasks over 100 ms`, '0', w.long.length ? `${w.long.length}, the longest ${ms(Math.max(...w.long))}` : '0');
    say(`${name}: nodes`, '≤ 10,000', String(w.nodes), w.nodes <= 10000);
    sayHeap(name, w.heaps, `${WATCH_MS / 1000} s`);
    say(`${name}: the server`, `alone +0.03 (${(share + 0.03).toFixed(3)})`, `${its.toFixed(3)} cores`);
  }
  const long = MINUTES > 1 ? await Promise.all(SCREENS.map(([, hash, ready]) => watch(browser, `${r.url}/${hash}`, ready, MINUTES * 60000))) : [];
  long.forEach((w, i) => sayHeap(SCREENS[i][0], w.heaps.slice(1), `${MINUTES - 1} min`));
  const tries = MINUTES ? 100 : 30, times = await seen(browser, r, tries);
  say('a new series in Live', '≤ 500 ms, all', `${times.filter((t) => t <= 500).length} of ${tries} (median ${ms(part(times, 0.5))}, worst ${ms(part(times, 1))})`, times.length >= 0.8 * tries);

  const soon = await reacts(browser, r, 5);
  for (const [what, wanted, list] of [['a metric in Metrics', 1500, soon.metrics], ['judged after a key', 400, soon.typed], ['judged after data', 1500, soon.data]])
    say(`${what}, worst of ${list.length}`, `≤ ${wanted} ms`, ms(part(list, 1)), list.length > 0);

  const alone = await asks(r, 150), tabs = [];
  for (let i = 0; i < TABS; i++) {
    const context = await browser.newContext(), page = await context.newPage();
    await page.goto(`${r.url}/${SCREENS[i % 3][1]}`);
    tabs.push(context);
  }
  await wait(3000); // what is only asked for at first
  const beside = await asks(r, 150);
  await Promise.all(tabs.map((context) => context.close()));
  say(`expect of another session, p95, beside ${TABS} tabs`, `${(1.2 * part(alone, 0.95)).toFixed(1)} ms: alone +20 %`, `${part(beside, 0.95).toFixed(1)} ms`);
  await stop();
  const lost = Object.values((await r.ask('status')).losses).reduce((a, b) => a + b, 0);
  say('lost in all of that', '0', String(lost));
  const asked = await hidden(browser, r);
  say('requests of a hidden tab', '0', String(asked), asked === 0);

  const wide = flood(r, 0, METRICS);
  for (const query of ['status', 'metrics?limit=100', 'timeline?name=flood.m1', 'samples?newest=true&limit=40']) {
    const took = await asks(r, 5, `${query}${query.includes('?') ? '&' : '?'}settled=no`);
    say(`flat-out flood: ${query.split('?')[0]}, worst of ${took.length}`, '≤ 100 ms', ms(part(took, 1)));
  }
  await wide();
  await wait(500);
  await r.ask('status');
  await r.ask('reset', {method: 'POST'});
  await fill(r, SERIES);
  const many = await first(browser, `${r.url}/`, 'a.open');
  say(`${SERIES / 1000},000 series: first rows`, '≤ 700 ms', ms(many.rows_ms));
  for (const [what, wanted, query] of [['metrics by name', 50, 'metrics?limit=100'], ['metrics by samples', 250, 'metrics?limit=100&sort=samples'], ['a search', 250, 'metrics?limit=100&q=m77'], ['status', 50, 'status?'],
    ['sessions', 50, 'sessions?'], ['tags of one', 50, 'tags?name=many.m7'], ['timeline of one', 50, 'timeline?name=many.m7'], ['histogram of one', 50, 'histogram?name=many.m7'], ['newest samples', 50, 'samples?newest=true&limit=40']]) {
    const began = performance.now();
    await r.ask(`${query}&settled=no`);
    say(`${SERIES / 1000},000 series: ${what}`, `≤ ${wanted} ms`, ms(performance.now() - began));
  }
  await r.stop();
  const column = Math.max(...rows.map(([what]) => what.length));
  console.log(`\n${'what'.padEnd(column)}  ${'required'.padEnd(24)}  measured`);
  for (const [what, wanted, got] of rows) console.log(`${what.padEnd(column)}  ${wanted.padEnd(24)}  ${got}`);
  return failed;
}
