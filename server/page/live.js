// What arrives now, newest first. When more comes than a person can read, one row a metric, rare ones first. When more comes than
// a browser can take, the stream is closed, and once a second the metrics with the fewest samples are asked for: what is rare or
// new is never missed in a flood, and the page takes some 20 kB/s.
import {h, replace, toast} from './dom.js';
import {get, stream} from './api.js';
import {number, whole, clockMs, name, type, tags, value} from './format.js';

const EVERY_MS = 250, ROWS = 40, KEPT = 300;
const EACH = 50;           // samples in a period that are shown one by one
const TOO_MUCH = 400000;   // characters in a period: then the stream is closed
const CALM = 2000;         // samples a second: then it is opened again
const RARE = 60;           // metrics asked for in a flood

export function show(root, route, app) {
  const input = h('input', {type: 'search', id: 'search', placeholder: 'Only names like … (* and ?)', 'aria-label': 'Only names like', value: route.params.get('name') || ''});
  const tag = h('input', {type: 'search', placeholder: 'Only with the tag …', 'aria-label': 'Only with the tag', value: route.params.get('tag') || ''});
  const button = h('button', {type: 'button', 'aria-pressed': 'false', onclick: () => pause()}, 'Pause');
  const note = h('span', {class: 'dim', role: 'status', 'aria-live': 'off'});
  const body = h('tbody');
  replace(root, h('h1', {class: 'hidden'}, 'Live'), h('div', {class: 'tools'}, input, tag, button, note),
    h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Samples'}, h('table', {class: 'list live'}, h('thead', null, h('tr', null,
      ['Time', 'Type', 'Metric', 'Value', 'Tags', 'Via'].map((t) => h('th', {scope: 'col', class: `c-${t.toLowerCase()}`}, t)))), body)));

  let waiting = [], n = 0, size = 0, paused = false, missed = 0, abort = null, stopped = false, flooded = false, awake = null, newest = '', restart = true;

  function take(event, data, bytes) {
    if (event === 'end') { toast('This session has ended'); return; }
    if (event !== 'sample' || flooded) return; // the rest of what was read before the stream closed: watchRare shows it
    n++;
    size += bytes;
    if (size > TOO_MUCH) {
      flooded = true;
      newest = JSON.parse(data).received_at;
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
    replace(note, flooded ? `${number(app.rate)}/s: too many to read each, so once a second the ${RARE} rarest metrics (×n). A name finds others.`
      : came > EACH ? `${number(per_s)}/s: one row a metric (×n), rare ones first` : app.rate >= 1 ? `${number(app.rate)}/s, all shown` : 'All shown, newest first');
    if (!list.length) return;
    const parsed = list.map((text) => JSON.parse(text));
    put(came > EACH ? grouped(parsed).slice(-ROWS) : parsed.map((s) => ({s, n: 1})));
  }

  // The last of the list ends on top.
  function put(list) {
    body.prepend(...list.map(row).reverse());
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

  // In a flood: the metrics with the fewest samples, and how many each got since the last look. The first look shows what came since
  // the stream was closed. Returns the newest record that was looked at.
  async function watchRare() {
    const before = new Map();
    for (let first = true, last_id = 0; ; first = false) {
      if (!flooded || stopped) return last_id;
      const {metrics, last_id: id} = await get('metrics', {session: app.session, name: input.value, tag: tag.value, sort: 'samples', limit: RARE}, abort.signal);
      last_id = id;
      const came = [];
      for (const m of metrics) {
        const key = `${m.type} ${m.name}`, more = m.samples - (before.get(key) || 0);
        before.set(key, m.samples);
        const n = !first || m.first_at >= newest ? more : m.last_at >= newest ? 1 : 0;
        if (n > 0) came.push({n, s: {...m, received_at: m.last_at, value: m.last, text: '', tags: m.tag_keys, source: ''}});
      }
      if (paused) missed += came.reduce((all, one) => all + one.n, 0);
      else put(came.reverse());
      await wait(1000);
      if (app.rate < CALM && !first) flooded = false;
    }
  }

  async function follow() {
    let since = null; // the newest record that is shown; null: only what comes from now on
    while (!stopped) {
      if (restart) {
        restart = false;
        since = await begin().catch(() => null);
      }
      if (document.hidden) await new Promise((resolve) => { awake = resolve; });
      abort = new AbortController();
      try {
        if (flooded) since = await watchRare();
        else {
          await stream({session: app.session, name: input.value, tag: tag.value, since}, take, abort.signal);
          await wait(1000);
          restart = true; // what came meanwhile, too
        }
      } catch (error) {
        if (stopped) return;
        if (error.name === 'AbortError') continue;
        if (error.status) replace(note, error.message);
        await wait(2000);
        restart = true; // what came meanwhile, too
      }
    }
  }

  function filter() {
    for (const [key, value] of [['name', input.value], ['tag', tag.value]]) value ? route.params.set(key, value) : route.params.delete(key);
    app.rewrite(route);
    clearTimeout(filter.timer);
    filter.timer = setTimeout(() => { flooded = false; restart = true; if (abort) abort.abort(); }, 250);
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

  // A page that nobody sees asks for nothing.
  const hidden = () => { if (document.hidden && abort) { flooded = false; restart = true; abort.abort(); } else if (!document.hidden && awake) awake(); };
  document.addEventListener('visibilitychange', hidden);
  follow();
  return {search: input, pause, stop() {
    stopped = true;
    clearInterval(timer);
    clearTimeout(filter.timer);
    root.classList.remove('paused');
    document.removeEventListener('visibilitychange', hidden);
    if (abort) abort.abort();
    if (awake) awake();
  }};
}
