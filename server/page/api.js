// Questions to /recorder/v1. Only Expect waits for what is on its way; all others read the last commit (settled=no).
import {h, dialog} from './dom.js';

const BASE = '/recorder/v1/';
const KEY = 'statwit-token';
const BYTES_PER_MS = 40; // of one poller, in the long run
let received = 0; // bytes of answers
let asking = null, asked = false;
export const link = new EventTarget(); // "up", "down", and "trouble" with what it is, or ''
let up = true;

// "#token=T": kept for this tab, and taken out of the address before anything else happens. Also when it is put into the address of
// an open page, which loads nothing anew.
let giving = null; // a token, to the dialog that asks for it
function takeToken() {
  const given = /^#token=([^&]*)/.exec(location.hash);
  if (!given) return;
  let token = given[1];
  try { token = decodeURIComponent(token); } catch { /* a % that is one */ }
  sessionStorage.setItem(KEY, token);
  history.replaceState(null, '', location.pathname + '#/metrics');
  if (giving) giving(token);
}
takeToken();
addEventListener('hashchange', takeToken); // before the frame reads the address

// A header holds bytes: those of the token's UTF-8.
function headers(more) {
  const bytes = new TextEncoder().encode(sessionStorage.getItem(KEY) || '').filter((b) => b >= 32 && b !== 127);
  return bytes.length ? {...more, Authorization: `Bearer ${String.fromCharCode(...bytes)}`} : {...more};
}

function askToken() {
  if (asking) return asking;
  asking = new Promise((resolve) => {
    const input = h('input', {type: 'password', autocomplete: 'off', required: true, 'aria-label': 'Token', autofocus: true});
    const box = dialog('This server asks for its token', [h('p', null, asked ? 'This was not it. ' : '', 'The server printed it when it started (STATWIT_TOKEN).'), input],
      [['Use it', null, 'primary']], () => {
        sessionStorage.setItem(KEY, input.value);
        asking = giving = null;
        asked = true;
        resolve();
      });
    giving = (token) => { input.value = token; box.close(); };
  });
  return asking;
}

function say(now) {
  if (now === up) return;
  up = now;
  link.dispatchEvent(new Event(up ? 'up' : 'down'));
}

async function send(path, options) {
  for (;;) {
    if (asking) await asking;
    const used = sessionStorage.getItem(KEY);
    let answer;
    try {
      answer = await fetch(BASE + path, {...options, headers: headers(options.headers), cache: 'no-store'});
    } catch (error) {
      if (error.name !== 'AbortError') say(false);
      throw Object.assign(error, {unreached: true});
    }
    say(true);
    if (answer.status !== 401) return answer;
    if (sessionStorage.getItem(KEY) === used) await askToken(); // else another was given meanwhile
  }
}

export function query(params) {
  const all = new URLSearchParams();
  for (const [key, value] of Object.entries(params))
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== '') all.append(key, one);
  return all.toString();
}

async function json(path, options = {}) {
  const answer = await send(path, options);
  let body;
  try {
    const text = await answer.text();
    received += text.length;
    body = JSON.parse(text);
  } catch (error) {
    throw Object.assign(error, {unreached: true}); // cut short
  }
  if (answer.ok || body.verdict) return body;
  throw Object.assign(new Error(body.error || `HTTP ${answer.status}`), {status: answer.status});
}

export function get(path, params = {}, signal) {
  return json(`${path}?${query({...params, settled: 'no'})}`, {signal});
}

export function post(path, body, params = {}) {
  return json(`${path}?${query(params)}`, {method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json'}});
}

// A file to keep. A link cannot send the token: with one, the bytes come by way of memory.
export async function save(path, params, file) {
  let href = `${BASE}${path}?${query({...params, settled: 'no'})}`;
  if (sessionStorage.getItem(KEY)) {
    const answer = await send(href.slice(BASE.length), {});
    if (!answer.ok) throw new Error((await answer.json()).error);
    href = URL.createObjectURL(await answer.blob());
  }
  h('a', {href, download: file}).click();
  if (href.startsWith('blob:')) setTimeout(() => URL.revokeObjectURL(href), 60000);
}

export function remove(path) {
  return json(path, {method: 'DELETE'});
}

// Server-Sent Events by fetch, since EventSource cannot send a token. `take(event, data, bytes)`; ends when the stream does.
export async function stream(params, take, signal) {
  const answer = await send(`stream?${query({...params, settled: 'no'})}`, {signal});
  if (!answer.ok) throw Object.assign(new Error((await answer.json()).error), {status: answer.status});
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ;) {
    const {value, done} = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      const event = /^event: (.*)$/m.exec(part), data = /^data: (.*)$/m.exec(part);
      if (event && data) take(event[1], data[1], part.length);
    }
  }
}

// Calls `ask` again and again, never more than a tenth of the time, never for more bytes than a tab should take, and not while the page
// is hidden. Returns {stop, now, every_ms}.
export function poll(ask, every_ms = 1000) {
  let timer = 0, running = false, stopped = false, again = false, troubled = false;
  function complain(text) {
    troubled = text !== '';
    link.dispatchEvent(new CustomEvent('trouble', {detail: text}));
  }
  async function run() {
    clearTimeout(timer);
    if (stopped) return;
    if (running) { again = true; return; }
    running = true;
    const began = performance.now(), before = received;
    if (!document.hidden) try {
      await ask();
      if (troubled && !stopped) complain('');
    } catch (error) {
      if (stopped) return;
      if (error.status >= 500) complain(error.message);
      else error.status ? console.info(error.message) : error.unreached || console.error(error);
    }
    running = false;
    if (again) { again = false; run(); return; }
    if (!stopped) timer = setTimeout(run, Math.max(self.every_ms, 9 * (performance.now() - began), (received - before) / BYTES_PER_MS));
  }
  const shown = () => { if (!document.hidden) run(); };
  document.addEventListener('visibilitychange', shown);
  const self = {every_ms, now: run, stop() { stopped = true; if (troubled) complain(''); clearTimeout(timer); document.removeEventListener('visibilitychange', shown); }};
  run();
  return self;
}
