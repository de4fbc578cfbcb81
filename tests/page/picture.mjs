// picture.mjs STATWIT CHROMIUM FILE: the README's picture of the page. Some forty seconds of what a small shop sends, then one metric beside the list.
// `make page` copies it to build/page; run it there.
import {startBrowser, startRecorder} from './recorder.mjs';

const [binary, executable, file] = process.argv.slice(2), SECONDS = 40, EVERY_MS = 50;
const ROUTES = ['/cart', '/login', '/health', '/orders'], METHODS = ['GET', 'GET', 'POST'];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const any = (list) => list[Math.floor(Math.random() * list.length)];
const slow = (ms) => (ms * Math.exp(Math.random() ** 3 * 2)).toFixed(2);

const r = await startRecorder(binary), {browser, stop} = await startBrowser(executable);
await r.send('bad.type:1|zz\n_e{6,4}:Deploy|done|t:success|#env:dev');
await r.ask('expect', {method: 'POST', body: JSON.stringify({expect: ['incr order.created', 'incr order.cancelled sum == 1']})});
for (let i = 0; i < SECONDS * 1000 / EVERY_MS; i++) {
  const tags = `#env:dev,method:${any(METHODS)},route:${any(ROUTES)}`, lines = [`cache.lookup:1|c|#env:dev,hit:${Math.random() < 0.8}`];
  for (let k = 0; k < 4; k++) lines.push(`http.request.count:1|c|${tags}`, `http.request.duration:${slow(5 + 4 * Math.sin(i / 60))}|ms|${tags}`);
  if (i % 5 === 0) lines.push(`order.created:1|c|#env:dev`, `order.value:${slow(30)}|h|#env:dev,currency:EUR`, `users.unique:u${i % 70}|s|#env:dev`);
  if (i % 9 === 0) lines.push(`payment.latency:${slow(80)}|d|#env:dev`, `login.attempt:1|c|#env:dev,instance:${Math.random() < 0.9 ? 'success' : 'failure'}`);
  lines.push(`queue.depth:${Math.round(20 + 15 * Math.sin(i / 90))}|g|#env:dev`, `worker.pool.busy:${Math.round(4 + 3 * Math.sin(i / 40))}|g|#env:dev`);
  await r.send(lines.join('\n'));
  await wait(EVERY_MS);
}
const page = await (await browser.newContext({viewport: {width: 1440, height: 900}})).newPage();
await page.goto(`${r.url}/#/metrics/http.request.duration?type=timing`);
await page.locator('.key a').first().waitFor();
await page.locator('.bar').first().waitFor();
await page.waitForFunction(() => [...document.querySelectorAll('.spark path:not(.base)')].filter((p) => p.getAttribute('d')).length > 8);
await page.screenshot({path: file});
await stop();
await r.stop();
