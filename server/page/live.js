// What arrives now, newest first. The server sends at most one batch in a fifth of a second: each sample while a person can read
// them, else one row a metric (×n), what is new and what is rare first. So a flood is a few kB/s, and nothing rare is missed in it.
// In a flood a row stays where it is and its figures change, as in top: what jumps cannot be read.
import {h, replace, text, title, toast} from './dom.js';
import {get, stream} from './api.js';
import {number, whole, clockMs, name, type, tags, value} from './format.js';

const EVERY_MS = 200, ROWS = 50, KEPT = 250;
const PLACES = 60; // of metrics in a flood; more only for what is new or rare
const CALM_MS = 2000; // without a flood, and each sample has its row again
const STALE_MS = 3000; // a row of which nothing was told for so long gives its place away
const BYTES_PER_S = 90000;

export function show(root, route, app) {
  const input = h('input', {type: 'search', id: 'search', placeholder: 'Only names like … (* and ?)', 'aria-label': 'Only names like', value: route.params.get('name') || ''});
  const tag = h('input', {type: 'search', placeholder: 'Only with the tag …', 'aria-label': 'Only with the tag', value: route.params.get('tag') || ''});
  const button = h('button', {type: 'button', 'aria-pressed': 'false', onclick: () => pause()}, 'Pause');
  const note = h('span', {class: 'dim', role: 'status', 'aria-live': 'off'});
  const body = h('tbody'), nothing = h('div', {class: 'none'});
  replace(root, h('h1', {class: 'hidden'}, 'Live'), h('div', {class: 'tools'}, input, tag, button, note),
    h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Samples'}, nothing, h('table', {class: 'list live'}, h('thead', null, h('tr', null,
      ['Time', 'Type', 'Metric', 'Value', 'Tags', 'Via'].map((t) => h('th', {scope: 'col', class: `c-${t.toLowerCase()}`}, t)))), body)));

  let paused = false, missed = 0, abort = null, stopped = false, awake = null, restart = true, rows = ROWS;

  function take(event, data, bytes) {
    if (event === 'end') { toast(app.readOnly() ? 'Another recording is in its place' : 'This session has ended'); return; }
    if (event !== 'batch') return;
    weigh(bytes);
    const batch = JSON.parse(data), grouped = batch.rows.length < batch.passed || batch.partial;
    if (paused) {
      missed += batch.passed;
      say();
      return;
    }
    if (grouped) flooded_ms = performance.now();
    if (performance.now() - flooded_ms < CALM_MS) update(grouped ? batch.rows : [...byMetric(batch.rows).values()]);
    else {
      places.clear(); // those rows are history now
      put(batch.rows);
    }
    say(batch, grouped);
  }

  // Where rows are long, fewer of them.
  let weighed_ms = 0, weight = 0;
  function weigh(bytes) {
    const now = performance.now();
    if (now - weighed_ms > CALM_MS) {
      if (weighed_ms && weight > BYTES_PER_S * (now - weighed_ms) / 1000 && rows > 5) {
        rows = Math.ceil(rows / 2);
        again();
      }
      weighed_ms = now;
      weight = 0;
    }
    weight += bytes;
  }

  function say(batch, grouped) {
    text(nothing, body.firstChild ? '' : input.value || tag.value ? 'Nothing that fits has come. It shows here when it arrives.' : 'Nothing has come yet. It shows here when it arrives.');
    text(note, paused ? `Paused; ${whole(missed)} came since`
      : grouped ? `${number(app.rate)}/s: one row a metric (×n), new and rare ones first${batch.names > batch.rows.length ? `, ${batch.rows.length} of ${whole(batch.names)}` : ''}${batch.partial ? '; only the newest part was counted' : ''}`
        : app.rate >= 1 ? `${number(app.rate)}/s, all shown` : 'All shown, newest first');
  }

  function row(s) {
    return h('tr', {class: s.new ? 'new' : null}, h('td', {class: 'c-time', title: s.received_at}, clockMs(s.received_at)), h('td', {class: 'c-type'}, type(s.type)),
      h('td', {class: 'c-metric'}, h('a', {href: app.href(`/metrics/${encodeURIComponent(s.name)}`, {type: s.type})}, name(s.name)), s.new && h('span', {class: 'word fresh'}, 'new')),
      h('td', {class: 'c-value num'}, h('span', {class: 'times'}, s.n > 1 && `×${whole(s.n)} `), value(s)),
      h('td', {class: 'c-tags'}, tags(s.tags)), h('td', {class: 'c-via'}, s.source));
  }

  // The last of the list ends on top.
  function put(list) {
    body.prepend(...list.map(row).reverse());
    while (body.childElementCount > KEPT) body.lastElementChild.remove();
  }

  /* In a flood: a metric has its place. */
  let flooded_ms = -CALM_MS;
  const places = new Map(); // type and name -> {tr, tags, at}, the one that was told of longest ago first
  const key = (s) => JSON.stringify([s.type, s.name]);

  function byMetric(list) {
    const groups = new Map();
    for (const s of list) groups.set(key(s), {...s, n: s.n + (groups.has(key(s)) ? groups.get(key(s)).n : 0)});
    return groups;
  }

  function refresh(place, s) {
    const [time, , , figures, tagged, via] = place.tr.children;
    text(time, clockMs(s.received_at));
    title(time, s.received_at);
    text(figures.firstChild, s.n > 1 ? `×${whole(s.n)} ` : '');
    figures.lastChild.replaceWith(value(s));
    text(via, s.source);
    const list = JSON.stringify(s.tags);
    if (place.tags !== list) replace(tagged, tags(s.tags));
    place.tags = list;
  }

  function update(list) {
    const now = performance.now(), usual = list.length ? list[list.length >> 1].n : 0, added = [];
    for (const s of list) {
      const known = places.get(key(s));
      if (known) {
        refresh(known, s);
        known.at = now;
        places.delete(key(s));
        places.set(key(s), known);
        continue;
      }
      if (places.size >= PLACES) {
        const [oldest, place] = places.entries().next().value;
        const wanted = s.new || s.n * 2 <= usual;
        if (!wanted && now - place.at < STALE_MS) continue;
        if (places.size >= 2 * PLACES || now - place.at >= STALE_MS) {
          place.tr.remove();
          places.delete(oldest);
        }
      }
      const place = {tr: row(s), tags: JSON.stringify(s.tags), at: now};
      places.set(key(s), place);
      added.push(place.tr);
    }
    body.prepend(...added.reverse());
    while (body.childElementCount > KEPT) body.lastElementChild.remove();
  }

  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Begins with the newest that were recorded already.
  async function begin() {
    const {samples} = await get('samples', {session: app.session, name: input.value, tag: tag.value, newest: 'true', limit: ROWS});
    places.clear();
    replace(body, samples.map(row).reverse());
    return samples.length ? samples[samples.length - 1].id : 0;
  }

  async function follow() {
    while (!stopped) {
      if (document.hidden) await new Promise((resolve) => { awake = resolve; });
      abort = new AbortController();
      try {
        const since = await begin();
        restart = false;
        say();
        await stream({session: app.session, name: input.value, tag: tag.value, since, every_ms: EVERY_MS, rows}, take, abort.signal);
        await wait(1000);
      } catch (error) {
        if (stopped) return;
        if (restart) { restart = false; continue; }
        if (error.status) replace(note, error.message);
        await wait(2000);
      }
    }
  }

  function again() {
    restart = true;
    if (abort) abort.abort();
  }

  function filter() {
    for (const [key, value] of [['name', input.value], ['tag', tag.value]]) value ? route.params.set(key, value) : route.params.delete(key);
    app.rewrite(route);
    clearTimeout(filter.timer);
    filter.timer = setTimeout(again, 250);
  }
  input.addEventListener('input', filter);
  tag.addEventListener('input', filter);

  function pause() {
    paused = !paused;
    missed = 0;
    button.setAttribute('aria-pressed', String(paused));
    replace(button, paused ? 'Go on' : 'Pause');
    root.classList.toggle('paused', paused);
    say();
  }

  // A page that nobody sees asks for nothing.
  const hidden = () => { if (document.hidden) again(); else if (!document.hidden && awake) awake(); };
  document.addEventListener('visibilitychange', hidden);
  follow();
  return {search: input, pause, stop() {
    stopped = true;
    clearTimeout(filter.timer);
    root.classList.remove('paused');
    document.removeEventListener('visibilitychange', hidden);
    if (abort) abort.abort();
    if (awake) awake();
  }};
}
