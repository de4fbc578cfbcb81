// What arrives now, newest first. When more comes than a person or a browser can take, one row a metric, rare ones first.
import {h, replace, toast} from './dom.js';
import {get, stream} from './api.js';
import {number, whole, clockMs, name, type, tags, value} from './format.js';

const EVERY_MS = 250, ROWS = 40, KEPT = 300;
const EACH = 50;           // samples in a period that are shown one by one
const TOO_MUCH = 1500000;  // characters in a period: then the stream is closed for a while, so that the page stays quick
const REST_MS = 750;

export function show(root, route, app) {
  const input = h('input', {type: 'search', id: 'search', placeholder: 'Only names like … (* and ?)', 'aria-label': 'Only names like', value: route.params.get('name') || ''});
  const tag = h('input', {type: 'search', placeholder: 'Only with the tag …', 'aria-label': 'Only with the tag', value: route.params.get('tag') || ''});
  const button = h('button', {type: 'button', 'aria-pressed': 'false', onclick: () => pause()}, 'Pause');
  const note = h('span', {class: 'dim', role: 'status', 'aria-live': 'off'});
  const body = h('tbody');
  replace(root, h('h1', {class: 'hidden'}, 'Live'), h('div', {class: 'tools'}, input, tag, button, note),
    h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Samples'}, h('table', {class: 'list live'}, h('thead', null, h('tr', null,
      ['Time', 'Type', 'Metric', 'Value', 'Tags', 'Via'].map((t) => h('th', {scope: 'col', class: `c-${t.toLowerCase()}`}, t)))), body)));

  let waiting = [], n = 0, size = 0, paused = false, missed = 0, abort = null, stopped = false, resting = false, partly = 0;

  function take(event, data, bytes) {
    if (event === 'end') { toast('This session has ended'); return; }
    if (event !== 'sample') return;
    n++;
    size += bytes;
    if (size > TOO_MUCH) {
      partly = Date.now();
      resting = true;
      abort.abort();
      return;
    }
    waiting.push(data);
  }

  function grouped(list) {
    const groups = new Map();
    for (const s of list) {
      const key = `${s.type} ${s.name}`, group = groups.get(key);
      if (group) { group.n++; group.s = s; } else groups.set(key, {n: 1, s});
    }
    return [...groups.values()].sort((a, b) => b.n - a.n); // prepended one by one, so rare ones end on top
  }

  function row({s, n: times}) {
    return h('tr', null, h('td', {class: 'c-time', title: s.received_at}, clockMs(s.received_at)), h('td', {class: 'c-type'}, type(s.type)),
      h('td', {class: 'c-metric'}, h('a', {href: app.href(`/metrics/${encodeURIComponent(s.name)}`, {type: s.type})}, name(s.name))),
      h('td', {class: 'c-value num'}, times > 1 && h('span', {class: 'times'}, `×${whole(times)} `), value(s)),
      h('td', {class: 'c-tags'}, tags(s.tags)), h('td', {class: 'c-via'}, s.source));
  }

  function draw() {
    const list = waiting;
    const came = n;
    waiting = [];
    n = size = 0;
    if (paused) {
      missed += came;
      replace(note, `Paused; ${whole(missed)} came since`);
      return;
    }
    const per_s = input.value || tag.value ? came * 1000 / EVERY_MS : app.rate;
    const recent = Date.now() - partly < 3000;
    replace(note, recent ? `${number(app.rate)}/s: too many to read all, so a part is shown, one row a metric (×n). A name above shows all of it.`
      : came > EACH ? `${number(per_s)}/s: one row a metric (×n), rare ones first` : app.rate >= 1 ? `${number(app.rate)}/s, all shown` : 'All shown, newest first');
    if (!list.length) return;
    const parsed = list.map((text) => JSON.parse(text));
    const rows = (came > EACH || recent ? grouped(parsed).slice(-ROWS) : parsed.map((s) => ({s, n: 1}))).map(row).reverse();
    body.prepend(...rows);
    while (body.childElementCount > KEPT) body.lastElementChild.remove();
  }

  const timer = setInterval(draw, EVERY_MS);
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Begins with the newest that were recorded already.
  async function begin() {
    const {samples} = await get('samples', {session: app.session, name: input.value, tag: tag.value, newest: 'true', limit: ROWS});
    replace(body, samples.reverse().map((s) => row({s, n: 1})));
    return samples.length ? samples[0].id : 0;
  }

  async function follow() {
    let since = await begin().catch(() => 0);
    while (!stopped) {
      abort = new AbortController();
      try {
        await stream({session: app.session, name: input.value, tag: tag.value, since: since || ''}, take, abort.signal);
        if (!stopped) await wait(2000);
      } catch (error) {
        if (stopped) return;
        if (error.name !== 'AbortError') {
          if (error.status) replace(note, error.message);
          await wait(2000);
        } else if (resting) {
          resting = false;
          since = 0; // from now on
          await wait(REST_MS);
        } else since = await begin().catch(() => 0); // another filter
      }
    }
  }

  function filter() {
    for (const [key, value] of [['name', input.value], ['tag', tag.value]]) value ? route.params.set(key, value) : route.params.delete(key);
    app.rewrite(route);
    clearTimeout(filter.timer);
    filter.timer = setTimeout(() => { partly = 0; if (abort) abort.abort(); }, 250);
  }
  input.addEventListener('input', filter);
  tag.addEventListener('input', filter);

  function pause() {
    paused = !paused;
    missed = 0;
    button.setAttribute('aria-pressed', String(paused));
    replace(button, paused ? 'Go on' : 'Pause');
    root.classList.toggle('paused', paused);
  }

  const hidden = () => { if (document.hidden && abort) { resting = true; abort.abort(); } };
  document.addEventListener('visibilitychange', hidden);
  follow();
  return {search: input, pause, stop() {
    stopped = true;
    clearInterval(timer);
    clearTimeout(filter.timer);
    root.classList.remove('paused');
    document.removeEventListener('visibilitychange', hidden);
    if (abort) abort.abort();
  }};
}
