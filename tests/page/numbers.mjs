// What the page costs, beside what it may cost. The table is printed; only what does not depend on the machine's speed is required
// here: a line begins with "FAIL" then.
import {readdirSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import {startRecorder} from './recorder.mjs';

const RATE = 100000, METRICS = 1000, SERIES = 100000, WATCH_MS = 6000;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const cpu_s = (pid) => { // user and system time of a process, in ticks of 10 ms
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

// RATE samples a second of METRICS metrics, 40 to a datagram.
function flood(r) {
  let stopped = false, at = 0, sent = 0;
  const began = performance.now();
  const done = (async () => {
    while (!stopped) {
      for (const due = (performance.now() - began) * RATE / 1000; sent < due && !stopped; sent += 40) {
        const lines = [];
        for (let i = 0; i < 40; i++, at++) lines.push(`flood.m${at % METRICS}:${at % 97}|${at % 3 ? 'ms' : 'c'}|#env:ci`);
        await r.send(lines.join('\n'));
      }
      await wait(5);
    }
  })();
  return async () => { stopped = true; await done; };
}

async function fill(r) {
  const body = [];
  for (let i = 0; i < SERIES; i++) body.push(`many.m${i % 20000}:1|c|#k:${i}`);
  for (let i = 0; i < body.length; i += 20) {
    await r.send(body.slice(i, i + 20).join('\n'));
    if (i % 20000 === 0) await r.ask('status');
  }
  await r.ask('status');
}

// Of a fresh tab on a screen: when something was painted, and when rows stood there.
async function first(browser, url, rows) {
  const context = await browser.newContext({viewport: {width: 1280, height: 800}}), page = await context.newPage();
  const began = performance.now();
  await page.goto(url);
  await page.locator(rows).first().waitFor();
  const rows_ms = performance.now() - began;
  const paint_ms = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)[0]);
  await context.close();
  return {paint_ms, rows_ms};
}

// A tab for a while: bytes, requests, the share of its main thread, memory.
async function watch(browser, url, ready, ms = WATCH_MS) {
  const context = await browser.newContext({viewport: {width: 1280, height: 800}}), page = await context.newPage();
  await page.goto(url);
  await page.locator(ready).first().waitFor();
  await wait(1500); // what is only asked for at first
  const cdp = await context.newCDPSession(page);
  let bytes = 0, requests = 0;
  await cdp.send('Network.enable');
  await cdp.send('Performance.enable');
  cdp.on('Network.dataReceived', (e) => { bytes += e.dataLength; });
  cdp.on('Network.requestWillBeSent', () => { requests++; });
  const look = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    return Object.fromEntries((await cdp.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value]));
  };
  const before = await look(), began = performance.now();
  await wait(ms);
  const after = await look(), took_s = (performance.now() - began) / 1000;
  await context.close();
  return {kB: bytes / 1000 / took_s, requests: requests / took_s, busy: (after.TaskDuration - before.TaskDuration) / took_s,
    nodes: after.Nodes, heap_MB: (after.JSHeapUsedSize - before.JSHeapUsedSize) / 1e6};
}

// A new metric in the flood, from send to the row.
async function seen(browser, r, times) {
  const context = await browser.newContext(), page = await context.newPage(), list = [];
  await page.goto(`${r.url}/#/live`);
  await page.locator('.live td').first().waitFor();
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await r.send(`seen.in.live${i}:1|c`);
    const found = await page.locator('.live td', {hasText: `live${i}new`}).waitFor({timeout: 10000}).then(() => true, () => false);
    if (found) list.push(performance.now() - began);
  }
  await context.close();
  return list.sort((a, b) => a - b);
}

async function hidden(browser, r) {
  const context = await browser.newContext(), page = await context.newPage();
  await page.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, 'hidden', {get: () => hidden});
    window.hide = () => { hidden = true; document.dispatchEvent(new Event('visibilitychange')); };
  });
  await page.goto(`${r.url}/#/live`);
  await page.locator('.live td').first().waitFor();
  await page.evaluate(() => window.hide());
  await wait(1500); // what was asked before
  let n = 0;
  page.on('request', () => n++);
  await wait(3000);
  await context.close();
  return n;
}

export async function numbers(binary, browser, assets) {
  const rows = [];
  let failed = 0;
  const say = (what, wanted, got, holds = true) => {
    rows.push([what, wanted, got]);
    if (!holds) { console.log(`FAIL ${what}: ${got}, not ${wanted}`); failed++; }
  };
  const size = readdirSync(assets).filter((f) => !/\.[ch]$/.test(f)).reduce((n, f) => n + statSync(path.join(assets, f)).size, 0);
  say('assets', '≤ 150 kB', `${(size / 1000).toFixed(0)} kB`, size <= 150000);

  const r = await startRecorder(binary);
  const pid = r.ready.pid;
  const few = await first(browser, `${r.url}/`, '.empty');
  say('first paint', '≤ 300 ms', `${few.paint_ms.toFixed(0)} ms`);
  const stop = flood(r);
  await wait(2000);
  const alone = cpu_s(pid), from = performance.now();
  await wait(WATCH_MS);
  const share = (cpu_s(pid) - alone) / ((performance.now() - from) / 1000);
  say('server alone in the flood', '', `${share.toFixed(3)} cores`);
  for (const [name, hash, ready] of [['Metrics', '#/metrics', 'a.open'], ['one metric', '#/metrics/flood.m1?type=timing', '.figures dd'], ['Live', '#/live', '.live td'], ['Expect', '#/expect?e=incr+flood.m0+count+%3E%3D+1', '.result']]) {
    const cpu = cpu_s(pid), began = performance.now();
    const w = await watch(browser, `${r.url}/${hash}`, ready);
    const its = (cpu_s(pid) - cpu) / ((performance.now() - began) / 1000);
    const where = `${name}, ${RATE / 1000}k samples/s`;
    // How much is asked for depends on how fast the machine answers: only a tab that runs away fails.
    say(`${where}: received`, '≤ 100 kB/s', `${w.kB.toFixed(1)} kB/s`, w.kB <= 1000);
    say(`${where}: requests`, '≤ 6 /s', `${w.requests.toFixed(1)} /s`, w.requests <= 20);
    say(`${where}: the tab's main thread`, '≤ 0.25', w.busy.toFixed(2));
    say(`${where}: nodes`, '≤ 10,000', String(w.nodes), name === 'one metric' || w.nodes <= 10000);
    say(`${where}: heap growth in ${WATCH_MS / 1000} s`, '< 2 MB in 4 min', `${w.heap_MB.toFixed(2)} MB`);
    say(`${where}: the server`, `alone +0.03 (${(share + 0.03).toFixed(3)})`, `${its.toFixed(3)} cores`);
  }
  const times = await seen(browser, r, 20);
  say('a new metric in Live', '≤ 500 ms, all', `${times.length} of 20, median ${(times[times.length >> 1] || 0).toFixed(0)} ms, worst ${(times[times.length - 1] || 0).toFixed(0)} ms`, times.length === 20);
  await stop();
  const asked = await hidden(browser, r);
  say('requests of a hidden tab', '0', String(asked), asked === 0);
  await r.ask('reset', {method: 'POST'});
  await fill(r);
  const many = await first(browser, `${r.url}/`, 'a.open');
  say('100,000 series: first rows', '≤ 700 ms', `${many.rows_ms.toFixed(0)} ms`);
  for (const [what, ms, query] of [['metrics by name', 50, 'metrics?limit=100&settled=no'], ['metrics by samples', 250, 'metrics?limit=100&sort=samples&settled=no'], ['status', 50, 'status?settled=no'], ['sessions', 50, 'sessions?settled=no'], ['tags of one', 50, 'tags?name=many.m7&settled=no'], ['timeline of one', 50, 'timeline?name=many.m7&settled=no']]) {
    const began = performance.now();
    await r.ask(query);
    say(`100,000 series: ${what}`, `≤ ${ms} ms`, `${(performance.now() - began).toFixed(0)} ms`);
  }
  await r.stop();
  const wide = Math.max(...rows.map(([what]) => what.length));
  console.log(`\n${'what'.padEnd(wide)}  ${'required'.padEnd(22)}  measured`);
  for (const [what, wanted, got] of rows) console.log(`${what.padEnd(wide)}  ${wanted.padEnd(22)}  ${got}`);
  return failed;
}
