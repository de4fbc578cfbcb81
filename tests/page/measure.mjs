// What the numbers are made of: floods, tabs that are watched, and the server's time.
import {spawn, spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const part = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? NaN;
const SIZE = {viewport: {width: 1280, height: 800}};

// User and system time of a process, in ticks of 10 ms.
export function cpu_s(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

// `rate` samples a second of so many metrics, 40 to a datagram; without a rate, as fast as they can be sent. Returns what ends it.
export function flood(r, rate, metrics) {
  let stopped = false, at = 0, sent = 0;
  const began = performance.now();
  const done = (async () => {
    while (!stopped) {
      const due = rate ? (performance.now() - began) * rate / 1000 : sent + 4000;
      for (; sent < due && !stopped; sent += 40) {
        const lines = [];
        for (let i = 0; i < 40; i++, at++) lines.push(`flood.m${at % metrics}:${at % 97}|${at % 3 ? 'ms' : 'c'}|#env:ci`);
        await r.send(lines.join('\n'));
      }
      await wait(rate ? 5 : 0);
    }
  })();
  return async () => { stopped = true; await done; };
}

export async function fill(r, series) {
  for (let i = 0; i < series; i += 20) {
    const lines = [];
    for (let k = i; k < i + 20; k++) lines.push(`many.m${k % 20000}:1|c|#k:${k}`);
    await r.send(lines.join('\n'));
    if (i % 20000 === 0) await r.ask('status');
  }
  await r.ask('status');
}

// The share of a core that the server takes for some time.
export async function shareOf(pid, ms) {
  const before = cpu_s(pid), from = performance.now();
  await wait(ms);
  return (cpu_s(pid) - before) / ((performance.now() - from) / 1000);
}

// Of a fresh tab on a screen: when something was painted, when rows stood there, and how many requests that took.
export async function first(browser, url, rows) {
  const context = await browser.newContext(SIZE), page = await context.newPage();
  await page.addInitScript((selector) => {
    const look = () => { if (document.querySelector(selector)) window.rows_ms = performance.now(); else requestAnimationFrame(look); };
    requestAnimationFrame(look);
  }, rows);
  await page.goto(url);
  await page.waitForFunction(() => window.rows_ms);
  const times = await page.evaluate(() => ({rows_ms: window.rows_ms, paint_ms: performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)[0] ?? NaN}));
  await context.close();
  return times;
}

// A tab for a while: bytes, requests, the share of its main thread, tasks, memory, and how much of the time it waited for each answer.
export async function watch(browser, url, ready, ms) {
  const context = await browser.newContext(SIZE), page = await context.newPage();
  await page.addInitScript(() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => e.duration))).observe({entryTypes: ['longtask']});
  });
  await page.goto(url);
  await page.locator(ready).first().waitFor();
  await wait(1500); // what is only asked for at first
  const cdp = await context.newCDPSession(page), open = new Map(), waited = new Map();
  let bytes = 0, requests = 0;
  await cdp.send('Network.enable');
  await cdp.send('Performance.enable');
  cdp.on('Network.dataReceived', (e) => { bytes += e.dataLength; });
  cdp.on('Network.requestWillBeSent', (e) => { requests++; open.set(e.requestId, [new URL(e.request.url).pathname, e.timestamp]); });
  cdp.on('Network.loadingFinished', (e) => {
    const [path, from] = open.get(e.requestId) || [];
    if (path) waited.set(path, (waited.get(path) || 0) + e.timestamp - from);
  });
  const look = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    return Object.fromEntries((await cdp.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value]));
  };
  const before = await look();
  await page.evaluate(() => { window.tasks = []; });
  const began = performance.now(), heaps = [before.JSHeapUsedSize / 1e6];
  for (let left = ms; left > 0; left -= 60000) {
    await wait(Math.min(left, 60000));
    heaps.push((await look()).JSHeapUsedSize / 1e6);
  }
  const took_s = (performance.now() - began) / 1000, tasks = await page.evaluate(() => window.tasks), after = await look();
  await context.close();
  return {kB: bytes / 1000 / took_s, requests: requests / took_s, busy: (after.TaskDuration - before.TaskDuration) / took_s, nodes: after.Nodes,
    heaps, long: tasks.filter((t) => t > 100), waited: Math.max(0, ...waited.values()) / took_s};
}

// New metrics in the flood, from send to the row; the page's clock is the same as this one.
export async function seen(browser, r, times) {
  const context = await browser.newContext(SIZE), page = await context.newPage(), list = [];
  await page.addInitScript(() => {
    window.seen = {};
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((c) => [...c.addedNodes])) {
        const found = /seen\.in\.live(\d+)new/.exec(node.textContent || '');
        if (found && !window.seen[found[1]]) window.seen[found[1]] = Date.now();
      }
    }).observe(document, {subtree: true, childList: true});
  });
  await page.goto(`${r.url}/#/live`);
  await page.locator('.live td').first().waitFor();
  for (let i = 0; i < times; i++) {
    const began = Date.now();
    await r.send(`seen.in.live${i}:1|c`);
    const found = await page.waitForFunction((n) => window.seen[n], i, {polling: 50, timeout: 10000}).then((h) => h.jsonValue(), () => null);
    if (found) list.push(found - began);
    await wait(37);
  }
  await context.close();
  return list;
}

// How soon Metrics shows a metric that is new, and how soon Expect judges: after a key, and after data.
export async function reacts(browser, r, times) {
  const context = await browser.newContext(SIZE), page = await context.newPage(), soon = {metrics: [], typed: [], data: []};
  const took = async (list, act, fits) => {
    const began = Date.now();
    await act();
    if (await page.waitForFunction((words) => document.querySelector('main').textContent.includes(words), fits, {polling: 20, timeout: 20000}).catch(() => null)) list.push(Date.now() - began);
  };
  await page.goto(`${r.url}/#/metrics?q=soon`);
  await page.locator('.empty').waitFor();
  for (let i = 0; i < times; i++) await took(soon.metrics, () => r.send(`soon.in.metrics${i}:1|c`), `metrics${i}`);
  await page.goto(`${r.url}/#/expect?e=incr+soon.in.metrics0`);
  await page.locator('.result').waitFor();
  for (let i = 0; i < times; i++) {
    await page.locator('textarea').fill('');
    await page.locator('.verdict', {hasText: 'Write a line'}).waitFor();
    await took(soon.typed, () => page.locator('textarea').fill(`incr soon.data${i} sum == 2`), '1 failed');
    await took(soon.data, () => r.send(`soon.data${i}:2|c`), '1 passed');
  }
  await context.close();
  return soon;
}

export async function hidden(browser, r) {
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

// What stands before a command that shall run before all others' work, where this is allowed: then its time is its own.
export const FIRST = spawnSync('chrt', ['-f', '20', 'true']).status === 0 ? ['chrt', '-f', '20'] : [];

// How long `expect` takes in another session, or the GET of a query, so many times. A process of its own asks: one that floods answers itself late.
export function asks(r, times, query = '') {
  const [command, ...rest] = [...FIRST, process.execPath, 'ask.mjs', r.url, String(times), query];
  const child = spawn(command, rest, {stdio: ['ignore', 'pipe', 'inherit']});
  let text = '';
  child.stdout.on('data', (data) => { text += data; });
  return new Promise((resolve) => child.once('exit', () => resolve(JSON.parse(text))));
}
