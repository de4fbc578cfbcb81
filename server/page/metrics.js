// All metrics by name: search, sort, pages. Search, order and page are in the address.
import {h, svg, replace, empty, snippet} from './dom.js';
import {get, poll} from './api.js';
import {number, whole, plural, ago, name, type} from './format.js';

const PAGE = 100;
const COLUMNS = [['name', 'Metric'], ['type', 'Type'], ['series', 'Series'], ['samples', 'Samples'],
  [null, 'Last minute', 'spark'], [null, 'Tags'], [null, 'Last'], ['last_at', 'Seen']];
const MANY = 100; // series of one name: many enough to ask why

// Sparklines: what each look saw, so they fill while the list is looked at, and outlive a look at another screen.
const SPAN_MS = 60000, BINS = 30, WIDE = 90, HIGH = 20, REMEMBERED = 2000;
const seen = new Map(); // session, type, name -> [[ms, samples], …]

function remember(key, samples) {
  const now = performance.now(), list = (seen.get(key) || []).filter(([at]) => now - at < SPAN_MS + 5000);
  seen.delete(key); // so that the map is in order of the last look
  seen.set(key, list);
  if (list.length && list[list.length - 1][1] > samples) list.length = 0; // it was forgotten
  list.push([now, samples]);
  if (seen.size > REMEMBERED) seen.delete(seen.keys().next().value);
  return list;
}

function spark(list) {
  const bins = new Array(BINS).fill(0), now = list[list.length - 1][0], wide = SPAN_MS / BINS;
  for (let i = 1; i < list.length; i++) { // spread over the time between two looks
    const [from, before] = list[i - 1], [to, after] = list[i];
    if (after === before) continue;
    const first = Math.max(0, BINS - 1 - Math.floor((now - from) / wide)), last = Math.max(0, BINS - 1 - Math.floor((now - to) / wide));
    for (let k = first; k <= last; k++) bins[k] += (after - before) / (last - first + 1);
  }
  const most = Math.max(...bins, 1e-9), x = (k) => (k * WIDE / BINS).toFixed(1);
  const path = bins.map((n, k) => (n ? `M${x(k)} ${HIGH}V${(HIGH - Math.max(1.5, (HIGH - 1) * n / most)).toFixed(1)}H${x(k + 0.85)}V${HIGH}Z` : '')).join('');
  return svg('svg', {class: 'spark', width: WIDE, height: HIGH, viewBox: `0 0 ${WIDE} ${HIGH}`, 'aria-hidden': 'true'}, svg('path', {d: `M0 ${HIGH - 0.5}H${WIDE}`, class: 'base'}), svg('path', {d: path}));
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

  function row(m) {
    return h('tr', null,
      h('td', {class: 'c-metric'}, h('a', {href: app.href(`/metrics/${encodeURIComponent(m.name)}`, {type: m.type}), class: 'open'}, name(m.name))),
      h('td', {class: 'c-type'}, type(m.type)),
      h('td', {class: 'c-series num'}, h('span', {class: m.series > MANY ? 'hog' : null, title: m.series > MANY ? 'Many series: its tags show which key makes them' : null}, whole(m.series))),
      h('td', {class: 'c-samples num', title: whole(m.samples)}, number(m.samples)),
      h('td', {class: 'c-spark'}, spark(remember(`${app.session} ${m.type} ${m.name}`, m.samples))),
      h('td', {class: 'c-tags'}, h('span', {class: 'keys'}, h('bdi', null, m.tag_keys.join(', ')))),
      h('td', {class: 'c-last num', title: m.last === null ? null : String(m.last)}, number(m.last)),
      h('td', {class: `c-seen num ${ago(m.last_at) === 'now' ? 'fresh' : ''}`, title: m.last_at}, ago(m.last_at)));
  }

  function drawPages(total, offset) {
    const to = (at, label) => h('button', {type: 'button', disabled: at < 0 || at >= total,
      onclick: () => change({offset: at > 0 ? String(at) : ''})}, label);
    replace(pages, total > PAGE && [to(offset - PAGE, 'Previous'),
      h('span', null, `${whole(offset + 1)} to ${whole(Math.min(total, offset + PAGE))} of ${whole(total)}`), to(offset + PAGE, 'Next')]);
  }

  let shown = '';
  async function load() {
    const offset = Number(param('offset', '0'));
    let answer;
    try {
      answer = await get('metrics', {session: app.session, q: search.value, sort: param('sort', 'name'), desc: param('desc'), offset, limit: PAGE});
    } catch (error) {
      if (!error.status) throw error;
      replace(body);
      replace(count, error.message);
      return;
    }
    replace(count, plural(answer.total, 'metric'), answer.partial ? ' (not all: there are too many)' : '');
    const now = JSON.stringify(answer.metrics) + Math.floor(Date.now() / 1000);
    if (now === shown) return;
    shown = now;
    const focused = document.activeElement && body.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    replace(body, answer.metrics.map(row));
    if (focused) for (const link of body.querySelectorAll('a.open')) if (link.getAttribute('href') === focused) link.focus();
    drawPages(answer.total, offset);
    table.hidden = answer.total === 0;
    replace(nothing, answer.total === 0 && (search.value ? noMatch() : welcome(app)));
  }

  function noMatch() {
    return empty('No metric matches', 'A word is a part of the name, or a glob with * and ?. key:value looks for a tag, is:timing for a type.',
      h('button', {type: 'button', onclick: () => { search.value = ''; change({q: '', offset: ''}); }}, 'Show all'));
  }

  search.addEventListener('input', () => change({q: search.value, offset: ''}));
  drawHead();
  const polling = poll(load, 1000);
  return {stop: polling.stop, search, rows: () => [...body.querySelectorAll('a.open')]};
}

function welcome(app) {
  const at = app.address();
  if (!at) return empty('Nothing was recorded', 'This session has ended, and it holds no metrics.');
  const [host, port] = [at.slice(0, at.lastIndexOf(':')), at.slice(at.lastIndexOf(':') + 1)];
  return empty('Waiting for the first metric', `This session listens on ${at}. What arrives shows here by itself.`,
    snippet('In a shell', `echo 'login.attempt:1|c|#instance:success' | nc -u -w0 ${host} ${port}`),
    snippet('For your program', `export DD_AGENT_HOST=${host} DD_DOGSTATSD_PORT=${port}`));
}
