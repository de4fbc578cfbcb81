// All metrics by name: search, sort, pages. Search, order and page are in the address.
import {h, svg, replace, text, title, empty, snippet} from './dom.js';
import {get, poll} from './api.js';
import {number, whole, plural, ago, name, type} from './format.js';

const PAGE = 100;
const COLUMNS = [['name', 'Metric'], ['type', 'Type'], ['series', 'Series'], ['samples', 'Samples'],
  [null, 'Last minute', 'spark'], [null, 'Tags'], [null, 'Last'], ['last_at', 'Seen']];
const MANY = 100; // series of one name: many enough to ask why

// Sparklines: what each look saw, so they outlive a look at another screen. For rows that were not looked at, or not lately, the server
// tells when their samples came; it is asked once, behind the first rows, since that is dear.
const SPAN_MS = 60000, BINS = 30, WIDE = 90, HIGH = 20, REMEMBERED = 2000;
const LATE_MS = 5000; // between two looks that are further apart only the average is known: it is drawn paler
const seen = new Map(); // session, type, name -> [[ms, samples], …]

// `spark`: how many came in each bin, or null.
function remember(key, samples, spark) {
  const now = performance.now(), wide = SPAN_MS / BINS, from = spark ? spark.findIndex((n) => n !== null) : -1;
  let list = (seen.get(key) || []).filter(([at]) => now - at < SPAN_MS + 5000);
  if (list.length && list[list.length - 1][1] > samples) list.length = 0; // it was forgotten
  const unknown = !list.length || now - list[list.length - 1][0] > LATE_MS;
  if (from >= 0) {
    let sum = samples - spark.slice(from).reduce((a, b) => a + b, 0);
    list = [[now - (BINS - from) * wide, sum]];
    for (let k = from; k < BINS; k++) list.push([now - (BINS - 1 - k) * wide, sum += spark[k]]);
  } else list.push([now, samples]);
  seen.delete(key); // so that the map is in order of the last look
  seen.set(key, list);
  if (seen.size > REMEMBERED) seen.delete(seen.keys().next().value);
  return {list, unknown};
}

// Two paths: what is known of each bin, and what is an average over many.
function bars(list) {
  const known = new Array(BINS).fill(0), average = new Array(BINS).fill(0), now = list[list.length - 1][0], wide = SPAN_MS / BINS;
  const bin = (at) => Math.max(0, BINS - 1 - Math.floor((now - at) / wide));
  for (let i = 1; i < list.length; i++) {
    const [from, before] = list[i - 1], [to, after] = list[i];
    if (after === before) continue;
    const late = to - from > LATE_MS, first = late ? bin(from) : bin(to - Math.min(to - from, wide)), last = bin(to);
    for (let k = first; k <= last; k++) (late ? average : known)[k] += (after - before) / (last - first + 1);
  }
  const most = Math.max(...known.map((n, k) => n + average[k]), 1e-9), x = (k) => (k * WIDE / BINS).toFixed(1);
  const path = (bins) => bins.map((n, k) => (n ? `M${x(k)} ${HIGH}V${(HIGH - Math.max(1.5, (HIGH - 1) * n / most)).toFixed(1)}H${x(k + 0.85)}V${HIGH}Z` : '')).join('');
  return [path(known), path(average)];
}

// A row of the table, and what puts newer figures into it: only what differs is written.
function rowOf(m, app) {
  const paths = [svg('path', {}), svg('path', {class: 'average'})];
  const series = h('span'), count = h('td', {class: 'c-samples num'}), keys = h('bdi'), last = h('td', {class: 'c-last num'}), seen = h('td', {class: 'c-seen num'});
  const tr = h('tr', null,
    h('td', {class: 'c-metric'}, h('a', {href: app.href(`/metrics/${encodeURIComponent(m.name)}`, {type: m.type}), class: 'open'}, name(m.name))),
    h('td', {class: 'c-type'}, type(m.type)), h('td', {class: 'c-series num'}, series), count,
    h('td', {class: 'c-spark'}, svg('svg', {class: 'spark', width: WIDE, height: HIGH, viewBox: `0 0 ${WIDE} ${HIGH}`, 'aria-hidden': 'true'}, svg('path', {d: `M0 ${HIGH - 0.5}H${WIDE}`, class: 'base'}), paths)),
    h('td', {class: 'c-tags'}, h('span', {class: 'keys'}, keys)), last, seen);
  function put(n) {
    if (series.textContent !== whole(n.series)) {
      text(series, whole(n.series));
      series.className = n.series > MANY ? 'hog' : '';
      title(series, n.series > MANY ? 'Many series: its tags show which key makes them' : null);
    }
    text(count, number(n.samples));
    title(count, whole(n.samples));
    text(keys, n.tag_keys.join(', '));
    text(last, number(n.last));
    title(last, n.last === null ? null : String(n.last));
    text(seen, ago(n.last_at));
    title(seen, n.last_at);
    seen.classList.toggle('fresh', ago(n.last_at) === 'now');
    const {list, unknown} = remember(`${app.session} ${n.type} ${n.name}`, n.samples, n.spark);
    bars(list).forEach((d, i) => { if (paths[i].getAttribute('d') !== d) paths[i].setAttribute('d', d); });
    return unknown;
  }
  return {tr, put};
}

export function show(root, route, app) {
  const search = h('input', {type: 'search', id: 'search', placeholder: 'Part of a name, tag:value, is:timing',
    'aria-label': 'Search metrics', value: route.params.get('q') || ''});
  const count = h('span', {class: 'dim', role: 'status'});
  const body = h('tbody');
  const head = h('tr');
  const table = h('table', {class: 'list metrics'}, h('thead', null, head), body);
  const pages = h('nav', {class: 'pages', 'aria-label': 'Pages'});
  const nothing = h('div');
  replace(root, h('h1', {class: 'hidden'}, 'Metrics'), h('div', {class: 'tools'}, search, count), h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Metrics'}, table, nothing, pages));

  const param = (key, or = '') => route.params.get(key) || or;
  function change(changes) {
    for (const [key, value] of Object.entries(changes)) value ? route.params.set(key, value) : route.params.delete(key);
    app.rewrite(route);
    drawHead();
    polling.now();
  }

  function drawHead() {
    const sort = param('sort', 'name'), desc = param('desc') === '1';
    replace(head, COLUMNS.map(([key, title, word]) => h('th', {scope: 'col', class: `c-${word || title.toLowerCase()}`,
      'aria-sort': key && key === sort ? (desc ? 'descending' : 'ascending') : null},
      key ? h('button', {type: 'button', onclick: () => change({sort: key, offset: '',
        desc: (key === sort ? !desc : key !== 'name' && key !== 'type') ? '1' : ''})},
        title, key === sort ? (desc ? ' ↓' : ' ↑') : '') : title)));
  }

  let rows = new Map(); // type and name -> {tr, put}
  function drawRows(list) {
    const before = [...rows.keys()].join('\n'), next = new Map();
    let unknown = false;
    for (const m of list) {
      const key = JSON.stringify([m.type, m.name]), row = rows.get(key) || rowOf(m, app);
      if (row.put(m) && !m.spark) unknown = true;
      next.set(key, row);
    }
    rows = next;
    if (unknown && !app.readOnly() && app.session !== '*') {
      wanted = true;
      polling.now();
    }
    if (before === [...rows.keys()].join('\n')) return;
    const focused = body.contains(document.activeElement) ? document.activeElement : null;
    body.replaceChildren(...[...rows.values()].map((row) => row.tr));
    if (focused) focused.focus({preventScroll: true});
  }

  function drawPages(total, offset) {
    const to = (at, label) => h('button', {type: 'button', disabled: at < 0 || at >= total,
      onclick: () => change({offset: at > 0 ? String(at) : ''})}, label);
    replace(pages, total > PAGE && [to(offset - PAGE, 'Previous'),
      h('span', null, `${whole(offset + 1)} to ${whole(Math.min(total, offset + PAGE))} of ${whole(total)}`), to(offset + PAGE, 'Next')]);
  }

  let told = '', wanted = false; // wanted: when the samples of the last minute came
  async function load() {
    const offset = Number(param('offset', '0'));
    let answer;
    try {
      answer = await get('metrics', {session: app.session, q: search.value, sort: param('sort', 'name'), desc: param('desc'), offset, limit: PAGE, spark: wanted ? BINS : ''});
      wanted = false;
    } catch (error) {
      if (!error.status || error.status >= 500) throw error;
      replace(count, error.message);
      table.hidden = !body.firstChild;
      return;
    }
    text(count, plural(answer.total, 'metric') + (answer.partial ? ' (not all: there are too many)' : ''));
    drawRows(answer.metrics);
    const now = JSON.stringify([answer.total, offset, answer.total === 0 && [search.value, app.status !== null, app.address()]]);
    table.hidden = answer.total === 0;
    if (now === told) return;
    told = now;
    drawPages(answer.total, offset);
    replace(nothing, answer.total === 0 && (search.value ? noMatch() : app.status && welcome(app)));
  }

  function noMatch() {
    return empty('No metric matches', 'A word is a part of the name, or a glob with * and ?. key:value looks for a tag, is:timing for a type.',
      h('button', {type: 'button', onclick: () => { search.value = ''; change({q: '', offset: ''}); }}, 'Show all'));
  }

  search.addEventListener('input', () => change({q: search.value, offset: ''}));
  drawHead();
  const polling = poll(load, 1000);
  if (!app.status) app.changed.addEventListener('data', () => polling.now(), {once: true}); // now it is known where to send
  return {stop: polling.stop, search, rows: () => [...body.querySelectorAll('a.open')]};
}

function welcome(app) {
  const at = app.address();
  if (!at) return empty('Nothing was recorded', 'This session has ended, and it holds no metrics.');
  const [host, port] = [at.slice(0, at.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1'), at.slice(at.lastIndexOf(':') + 1)];
  const screen = empty('Waiting for the first metric', `This session listens on ${at}. What arrives shows here by itself.`,
    snippet('In a shell', `echo 'login.attempt:1|c|#instance:success' | nc -u -w0 ${host} ${port}`),
    snippet('In Python', `from datadog import initialize, statsd\ninitialize(statsd_host='${host}', statsd_port=${port})\nstatsd.increment('login.attempt', tags=['instance:success'])`),
    snippet('For your program', `export DD_AGENT_HOST=${host} DD_DOGSTATSD_PORT=${port}`));
  screen.classList.add('waiting');
  return screen;
}
