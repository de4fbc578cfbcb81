// All metrics by name: search, sort, and a list of any length. Search, order and the first row on screen are in the address.
import {h, svg, replace, text, title, empty, snippet} from './dom.js';
import {get, poll} from './api.js';
import {number, whole, plural, ago, name, type} from './format.js';
import {BINS, WIDE, HIGH, remember, bars} from './spark.js';

const EVERY_MS = 1000, BESIDE_MS = 2000; // beside one metric there is more to ask for
const ROW = 40, HEAD = 36; // px, as in the style sheet
const AROUND = 10; // rows above and below those on screen
const MOST = 400000; // rows: no browser scrolls through more pixels
const SORTED_MOST = 250000; // rows: in another order than that of names the server looks at no more
const ASK_MS = 200; // at least, between two questions while somebody scrolls
const REST_MS = 200;
const COLUMNS = [['name', 'Metric'], ['type', 'Type'], ['series', 'Series'], ['samples', 'Samples'],
  [null, 'Last minute', 'spark'], [null, 'Tags'], [null, 'Last'], ['last_at', 'Seen']];
const MANY = 100; // series of one name: many enough to ask why

const keyOf = (m) => JSON.stringify([m.type, m.name, m.name_b64 || '']); // names that are not UTF-8 may read the same

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
    const {list, unknown} = remember(`${app.session} ${n.type} ${n.name_b64 || n.name}`, n.samples, n.spark);
    bars(list).forEach((d, i) => { if (paths[i].getAttribute('d') !== d) paths[i].setAttribute('d', d); });
    return unknown;
  }
  return {tr, put, type: m.type, name: m.name};
}

export function show(root, route, app) {
  const search = h('input', {type: 'search', id: 'search', placeholder: 'Part of a name, tag:value, is:timing', 'aria-label': 'Search metrics'});
  const count = h('span', {class: 'dim', role: 'status'});
  const above = gap(), body = h('tbody'), below = gap();
  const head = h('tr');
  const table = h('table', {class: 'list metrics'}, h('thead', null, head), above, body, below);
  const nothing = h('div');
  const scroll = h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Metrics', onscroll: scrolled}, table, nothing);
  replace(root, h('h1', {class: 'hidden'}, 'Metrics'), h('div', {class: 'tools'}, search, count), scroll);

  const param = (key, or = '') => route.params.get(key) || or;
  const wished = () => Math.min(MOST, Math.max(0, Math.floor(Number(param('offset'))) || 0)); // the first row, as the address has it
  function change(changes) {
    for (const [key, value] of Object.entries(changes)) value ? route.params.set(key, value) : route.params.delete(key);
    app.rewrite(route);
    drawHead();
    at = reached = -1;
    go(wished());
  }

  function drawHead() {
    const sort = param('sort', 'name'), desc = param('desc') === '1';
    replace(head, COLUMNS.map(([key, title, word]) => h('th', {scope: 'col', class: `c-${word || title.toLowerCase()}`,
      'aria-sort': key && key === sort ? (desc ? 'descending' : 'ascending') : null},
      key ? h('button', {type: 'button', onclick: () => change({sort: key, offset: '',
        desc: (key === sort ? !desc : key !== 'name' && key !== 'type') ? '1' : ''})},
        title, key === sort ? (desc ? ' ↓' : ' ↑') : '') : title)));
  }

  /* Only the rows that are on screen, and some around them, are asked for and made. */
  let rows = new Map(), from = 0, total = 0; // type and name -> {tr, put}; what the first of them is in the list of all
  let offset = null; // the first row on screen shall be this one, when it is known how many there are
  const first = () => Math.floor(scroll.scrollTop / ROW);
  const visible = () => Math.ceil(scroll.clientHeight / ROW);
  const end = () => Math.min(total, param('sort', 'name') === 'name' ? MOST : SORTED_MOST); // of what can be scrolled to
  function go(row) {
    offset = row;
    polling.now();
  }

  let asked_ms = -ASK_MS, later = 0;
  function askSoon() {
    const wait = asked_ms + ASK_MS - performance.now();
    if (later) return;
    if (wait > 0) {
      later = setTimeout(() => { later = 0; askSoon(); }, wait);
      return;
    }
    asked_ms = performance.now();
    polling.now();
  }

  let moved_ms = 0, resting = 0;
  function scrolled() {
    moved_ms = performance.now();
    if (first() < from || Math.min(end(), first() + visible()) > from + rows.size) askSoon();
    clearTimeout(resting);
    resting = setTimeout(rest, REST_MS);
  }

  // The address says what is on screen.
  function rest() {
    if (offset !== null || param('offset', '0') === String(first())) return;
    first() ? route.params.set('offset', String(first())) : route.params.delete('offset');
    app.rewrite(route);
  }

  function drawRows(list, at) {
    const before = `${from} ${[...rows.keys()].join('\n')}`, next = new Map();
    let unknown = false;
    for (const m of list) {
      const key = keyOf(m), row = rows.get(key) || rowOf(m, app);
      if (row.put(m) && !m.spark) unknown = true;
      next.set(key, row);
    }
    rows = next;
    from = at;
    if (unknown && !app.readOnly() && app.session !== '*') {
      wanted = true;
      if (performance.now() - moved_ms > REST_MS) polling.now();
    }
    mark();
    above.put(from);
    below.put(end() - from - rows.size);
    if (before !== `${from} ${[...rows.keys()].join('\n')}`) {
      const focused = body.contains(document.activeElement) ? document.activeElement : null;
      body.replaceChildren(...[...rows.values()].map((row) => row.tr));
      if (focused) (body.contains(focused) ? focused : scroll).focus({preventScroll: true});
      [...rows.values()].forEach((row, i) => row.tr.setAttribute('aria-rowindex', from + i + 2));
    }
    if (offset !== null) scroll.scrollTop = Math.min(offset, end()) * ROW;
    offset = null;
    if (reached >= from && reached < from + rows.size) {
      const row = reached;
      reached = -1;
      focusOn(row);
    } else if (reached >= total) reached = -1;
  }

  // The one whose figures stand beside the list.
  function mark() {
    for (const {tr, type, name} of rows.values()) {
      const open = route.name !== '' && type === param('type') && name === route.name;
      tr.classList.toggle('at', open);
      open ? tr.setAttribute('aria-current', 'true') : tr.removeAttribute('aria-current');
    }
  }

  /* Keys: the row that has the focus, or had it before it was scrolled away. */
  let at = -1, reached = -1; // `reached`: has the focus as soon as it is there
  const focusOn = (row) => body.children[row - from].querySelector('a').focus({preventScroll: true});
  body.addEventListener('focusin', (e) => { if (reached < 0) at = from + [...body.children].indexOf(e.target.closest('tr')); });
  function step(by) {
    if (!total) return false;
    const open = [...body.children].findIndex((tr) => tr.classList.contains('at'));
    if (at < 0 && open >= 0) at = from + open;
    at = at < 0 ? (by > 0 ? first() : end() - 1) : Math.max(0, Math.min(end() - 1, at + by));
    if (at * ROW < scroll.scrollTop) scroll.scrollTop = at * ROW;
    else if ((at + 1) * ROW > scroll.scrollTop + scroll.clientHeight - HEAD) scroll.scrollTop = (at + 1) * ROW - scroll.clientHeight + HEAD;
    if (at >= from && at < from + rows.size) { reached = -1; focusOn(at); }
    else { reached = at; askSoon(); }
    return true;
  }

  let told = '', wanted = false; // wanted: when the samples of the last minute came
  const question = () => JSON.stringify([app.session, search.value, param('sort'), param('desc'), offset]);
  async function load() {
    const asked = question();
    const start = Math.max(0, (offset === null ? first() : offset) - AROUND);
    let answer;
    try {
      answer = await get('metrics', {session: app.session, q: search.value, sort: param('sort', 'name'), desc: param('desc'), offset: start, limit: visible() + 2 * AROUND, spark: wanted ? BINS : ''});
    } catch (error) {
      if (!error.status || error.status >= 500) throw error;
      if (question() !== asked) return polling.now();
      replace(count, error.message);
      table.hidden = !body.firstChild;
      return;
    }
    if (question() !== asked) return polling.now(); // the answer to an old question
    wanted = false;
    total = answer.total;
    text(count, plural(total, 'metric') + (answer.partial ? ' (not all: there are too many)' : ''));
    table.hidden = total === 0;
    table.setAttribute('aria-rowcount', total + 1);
    drawRows(answer.metrics, start);
    const last = Math.max(0, end() - visible());
    if (!answer.metrics.length && last < start) go(last); // there are fewer now
    const now = JSON.stringify(total === 0 && [search.value, app.status !== null, app.address()]);
    if (now === told) return;
    told = now;
    replace(nothing, total === 0 && (search.value ? noMatch() : app.status && welcome(app)));
  }

  function noMatch() {
    return empty('No metric matches', 'A word is a part of the name, or a glob with * and ?. key:value looks for a tag, is:timing for a type.',
      h('button', {type: 'button', onclick: () => { search.value = ''; change({q: '', offset: ''}); }}, 'Show all'));
  }

  // The same list at another address: with another search, or with a metric beside it.
  function turn(next) {
    const list = () => JSON.stringify(['q', 'sort', 'desc'].map((key) => param(key)));
    const before = list(), place = param('offset');
    route = next;
    polling.every_ms = route.name ? BESIDE_MS : EVERY_MS;
    mark();
    if (list() !== before) at = reached = -1;
    else if (param('offset') === place) return;
    search.value = param('q');
    drawHead();
    go(wished());
  }

  // The metric beside the list was closed; `focus`: from inside of it.
  function turned(focus) {
    if (!focus) return;
    at >= from && at < from + rows.size ? focusOn(at) : scroll.focus({preventScroll: true});
  }

  search.value = param('q');
  search.addEventListener('input', () => change({q: search.value, offset: ''}));
  drawHead();
  offset = wished() || null;
  const polling = poll(load, route.name ? BESIDE_MS : EVERY_MS), sized = new ResizeObserver(scrolled);
  sized.observe(scroll);
  if (!app.status) app.changed.addEventListener('data', () => polling.now(), {once: true}); // now it is known where to send
  return {stop() { clearTimeout(resting); clearTimeout(later); sized.disconnect(); polling.stop(); }, search, step, turn, turned};
}

// Holds the place of the rows that are not made. One cell: more would make columns of those that are not shown.
function gap() {
  const cell = h('td'), box = h('tbody', {class: 'gap', 'aria-hidden': 'true', hidden: true}, h('tr', null, cell));
  box.put = (n) => {
    box.hidden = n <= 0;
    if (n > 0) cell.style.height = `${n * ROW}px`;
  };
  return box;
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
