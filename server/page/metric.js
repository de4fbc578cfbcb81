// One metric: its figures, over time, its values, tags, series and newest samples.
import {h, replace, copy, copyButton, toast} from './dom.js';
import {get, post, poll} from './api.js';
import {number, whole, plural, ago, clockMs, name, type, tags, value, shell} from './format.js';
import {timeline, histogram} from './chart.js';

const RANGES = [['all', 'All'], ['60', '1 min'], ['300', '5 min'], ['900', '15 min'], ['3600', '1 h']];
const SERIES_SHOWN = 50, SAMPLES_SHOWN = 12;
const OFTEN_MS = 2000, SELDOM_MS = 5000; // how often a part is asked for, while it is on screen and something came
const LINT_SERIES = 20000; // recorded: with more, problems are looked for when they are asked for
const POOLED = ['timing', 'histogram', 'distribution', 'gauge'];

// In an expectation a name with other characters stands in quotes.
function quoted(text, plain) {
  return plain.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

// Three digits, and never less: what holds now must hold.
function upwards(n) {
  const digit = 10 ** (Math.floor(Math.log10(Math.abs(n))) - 2);
  return n === 0 ? 0 : Number((Math.ceil(n / digit) * digit).toPrecision(3));
}

// What holds now, of a timing or the like with its p95, where `shape` has one of all its values.
export function expectation(m, chosen, shape) {
  const word = m.type === 'count' ? 'incr' : m.type;
  const list = chosen.length ? `{${chosen.map((t) => quoted(t, /^[\w.:/-]+$/)).join(',')}}` : '';
  const p95 = shape && !shape.partial && m.type !== 'gauge' ? shape.percentiles.p95 : null;
  const stat = m.type === 'count' ? `sum == ${m.sum}` : m.type === 'gauge' ? `last == ${m.last}` : `samples == ${m.samples}${p95 === null ? '' : ` and p95 <= ${upwards(p95)}`}`;
  return `${word} ${quoted(m.name, /^[\w./-]+$/)}${list} ${stat}`;
}

export function show(root, route, app, beside) {
  const metric = route.name, kind = route.params.get('type') || '';
  const chosen = route.params.getAll('tag');
  const range = RANGES.some(([r]) => r === route.params.get('range')) ? route.params.get('range') : 'all';
  const link = (changes) => app.href(`/metrics/${encodeURIComponent(metric)}`, {type: kind, tag: chosen, range: range === 'all' ? '' : range, ...changes});
  const figures = h('dl', {class: 'figures'}), over = h('div'), values = h('div'), keys = h('div'), series = h('div'), samples = h('div'), problems = h('div');
  const actions = h('div', {class: 'actions'});
  const note = h('p', {class: 'dim', role: 'status'});

  replace(root, h('div', {class: 'scroll pad', tabindex: 0, role: 'region', 'aria-label': 'Metric'},
    beside ? h('a', {class: 'button small close', href: app.href('/metrics', {}), 'aria-label': 'Close', title: 'Close (Esc)'}, '×') : h('a', {class: 'back', href: app.href('/metrics', {})}, '← All metrics'),
    h('h1', {class: 'title'}, name(metric), ' ', kind && type(kind)),
    chosen.length > 0 && h('p', {class: 'chosen'}, 'Only with ', chosen.map((tag) => h('a', {class: 'tag on',
      href: link({tag: chosen.filter((t) => t !== tag)}), 'aria-label': `Without ${tag}`}, h('bdi', null, tag), ' ×'))),
    actions, note, figures, problems,
    card('Over time', h('nav', {class: 'ranges', 'aria-label': 'Range'}, RANGES.map(([r, label]) =>
      h('a', {href: link({range: r === 'all' ? '' : r}), 'aria-current': r === range ? 'true' : null}, label))), over),
    h('div', {class: 'pair'}, card('Values', null, values), card('Tags', null, keys)),
    card('Series', null, series), card('Newest samples', null, samples)));

  // A byte that is not UTF-8 came as U+FFFD: a glob finds it.
  const about = {session: app.session, name: metric.replaceAll('\ufffd', '*'), type: kind, tag: chosen};
  const span = (m) => (range === 'all' && !app.readOnly() && Date.now() - new Date(m.first_at) < 60000 ? '60' : range); // a minute is the shortest that is worth a chart
  const parts = [
    {box: over, every_ms: OFTEN_MS, draw: async (m) => drawLine(m, await get('timeline', {...about, range: span(m), buckets: 120}))},
    {box: samples, every_ms: OFTEN_MS, draw: async () => drawSamples((await get('samples', {...about, newest: 'true', limit: SAMPLES_SHOWN})).samples)},
    {box: values, every_ms: SELDOM_MS, draw: async (m) => drawValues(m, m.type === 'set' ? null : await get('histogram', about))},
    {box: keys, every_ms: SELDOM_MS, draw: async () => drawTags(await get('tags', about))},
    {box: series, every_ms: SELDOM_MS, draw: async (m) => drawSeries(m, (await get('series', {...about, limit: SERIES_SHOWN})).series)},
    {box: problems, every_ms: SELDOM_MS, draw: problemsOf, inView: true}];
  const forget = () => { for (const part of parts) Object.assign(part, {drawn: null, due: 0}); };
  forget();
  // What is below the edge of the window is asked for when it comes into view.
  const looked = new IntersectionObserver((list) => {
    for (const entry of list) parts.find((part) => part.box.parentNode === entry.target).inView = entry.isIntersecting;
    polling.now();
  }, {root: root.firstChild, rootMargin: '200px'});
  for (const part of parts) if (!part.inView) looked.observe(part.box.parentNode);

  let stopped = false;
  async function load() {
    const {metrics} = await get('metrics', {...about, limit: 1000});
    if (stopped) return; // nobody sees the rest
    const m = metrics.find((one) => one.name === metric && (!kind || one.type === kind));
    if (!m) {
      replace(note, 'Nothing of this metric is recorded here, with these tags. It shows here when it arrives.');
      for (const box of [actions, figures, ...parts.map((part) => part.box)]) replace(box);
      forget();
      return;
    }
    drawFigures(figures, m);
    const state = `${m.samples} ${m.last_at}`, now = performance.now();
    const due = parts.filter((part) => part.inView && now >= part.due && (part.drawn !== state || (part.box === over && range !== 'all')));
    if (!due.length) return;
    replace(note, /[*?\ufffd]/.test(metric) && 'The name holds *, ? or bytes that are not text. What is below takes in other names that fit.');
    latest = m;
    drawActions();
    await Promise.all(due.map(async (part) => {
      await part.draw(m);
      Object.assign(part, {drawn: state, due: now + part.every_ms - 100});
    }));
  }

  let latest = null, shape = null; // the metric, and how its values are distributed
  const line = () => expectation(latest, chosen, shape);
  const expecting = h('a', {class: 'button'}, 'Expect …');
  function drawActions() {
    expecting.setAttribute('href', app.href('/expect', {e: [line()]}));
    if (actions.firstChild) return;
    const session = app.session === 'default' ? '' : `--session ${shell(app.session)} `;
    replace(actions, copyButton(line, 'the expectation', 'Copy expectation'),
      copyButton(() => `statwit expect ${session}${shell(line())}`, 'the command', 'Copy command'),
      h('button', {type: 'button', class: 'small', onclick: copyEntry}, 'Copy catalog entry'),
      copyButton(() => JSON.stringify(latest, null, 2), 'the JSON', 'Copy JSON'),
      h('span', {class: 'break'}),
      !app.readOnly() && h('a', {class: 'button', href: app.href('/live', {name: metric})}, 'Follow live'), expecting);
  }

  // As `statwit catalog infer` guesses it.
  async function copyEntry() {
    try {
      const {catalog} = await post('infer', {session: app.session, since: 0, name: about.name}, {settled: 'no'});
      const entry = JSON.parse(catalog).metrics[metric];
      entry ? copy(JSON.stringify({[metric]: entry}, null, 2), 'the catalog entry') : toast('The catalog does not name this metric');
    } catch (error) {
      toast(error.message);
    }
  }

  // What Datadog rewrites, drops or charges for, of this name; again when it has other series.
  let linted = '';
  async function problemsOf(m) {
    if (linted === `${m.series}`) return;
    linted = `${m.series}`;
    if (app.status && app.status.counts.series > LINT_SERIES)
      replace(problems, h('button', {type: 'button', onclick: () => lint().catch((error) => toast(error.message))}, 'Look for problems'));
    else await lint();
  }

  async function lint() {
    const {results} = await post('lint', {session: app.session, since: 0, name: about.name}, {settled: 'no'});
    const list = results.filter((r) => r.name === metric && r.verdict !== 'pass');
    replace(problems, list.length > 0 && h('section', {class: 'card problems'}, h('h2', null, plural(list.length, 'problem')),
      h('ul', null, list.map((r) => h('li', {class: `s-${r.severity}`}, h('span', {class: `word w-${r.severity === 'note' ? 'info' : r.severity}`}, r.rule.replaceAll('-', ' ')), ' ',
        h('bdi', null, r.why || r.observed))))));
  }

  function drawValues(m, values_now) {
    shape = values_now;
    replace(values, shape ? [histogram(shape, values.clientWidth), percentiles(shape)] : h('p', {class: 'dim'}, 'A set has members, not numbers; the newest are below.'));
    drawActions();
  }

  function drawLine(m, line) {
    const way = m.type === 'set' ? 'set' : POOLED.includes(m.type) ? 'pooled' : 'sum';
    const what = {set: 'samples', pooled: 'p50, p95 and the band from min to max', sum: 'sum'}[way];
    const box = over.querySelector('.chartbox'), focused = box && box === document.activeElement;
    replace(over, timeline(line, way, over.clientWidth, box && box.dataset.at), h('p', {class: 'legend'}, way === 'pooled' ? [h('i', {class: 'k p50'}), 'p50 ', h('i', {class: 'k p95'}), 'p95 ',
      h('i', {class: 'k band'}), 'min to max, '] : [h('i', {class: 'k bar'}), `${what}, `], `each ${line.step_ms / 1000} s`,
      line.partial ? `; the newest ${whole(line.read)} samples` : ''));
    if (focused) over.querySelector('.chartbox')?.focus({preventScroll: true});
  }

  // Of each key that has more values than are shown, a search among them; what stands in it is kept.
  const sections = new Map();
  function keySection(k) {
    const title = h('h3'), list = h('ul'), more = h('p', {class: 'dim'});
    const search = h('input', {type: 'search', class: 'find', placeholder: 'Search its values', 'aria-label': `Search the values of ${k.key || 'the empty key'}`, hidden: true});
    let timer = 0;
    search.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(() => { Object.assign(parts.find((part) => part.box === keys), {drawn: null, due: 0}); polling.now(); }, 200); });
    return {element: h('section', {class: 'key'}, title, search, list, more), title, list, more, search};
  }

  async function drawTags(found) {
    const shown = found.tags.map((k) => {
      if (!sections.has(k.key)) sections.set(k.key, keySection(k));
      return {k, s: sections.get(k.key)};
    });
    await Promise.all(shown.filter(({s}) => s.search.value).slice(0, 3).map(async (one) => {
      const {tags: some} = await get('tags', {...about, tag: [...chosen, `${one.k.key}:*${one.s.search.value}*`]});
      const k = some.find((other) => other.key === one.k.key);
      one.k = {...(k || {key: one.k.key, values: [], distinct: 0}), searched: one.k.distinct};
    }));
    for (const {k, s} of shown) drawKey(k, s);
    const elements = [found.partial && h('p', {class: 'dim'}, 'Not all tags: there are too many.'), !shown.length && h('p', {class: 'dim'}, 'No tags.'), ...shown.map(({s}) => s.element)].filter(Boolean);
    if (elements.length !== keys.childElementCount || elements.some((e, i) => e !== keys.children[i])) replace(keys, elements);
  }

  function drawKey(k, s) {
    const most = Math.max(...k.values.map((v) => v.samples), 1), all = k.searched || k.distinct;
    replace(s.title, h('bdi', null, k.key || '(empty)'), h('span', {class: all > 100 ? 'hog' : 'dim'}, plural(all, 'value')));
    s.search.hidden = all <= k.values.length && !s.search.value;
    replace(s.list, k.values.map((v) => {
      const bar = h('span', {class: 'fill'});
      bar.style.width = `${100 * v.samples / most}%`;
      return h('li', null, h('a', {href: link({tag: [...new Set([...chosen, v.tag])]})}, bar,
        h('bdi', {class: 'v'}, v.value === null ? '(no value)' : v.value), h('span', {class: 'n'}, number(v.samples))));
    }));
    const hidden = k.distinct - k.values.length;
    replace(s.more, hidden > 0 ? `and ${whole(hidden)} more` : s.search.value && !k.values.length ? 'No value like this.' : '');
  }

  function drawSeries(m, rows) {
    replace(series, h('div', {class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Series'}, h('table', {class: 'plain'}, h('thead', null, h('tr', null, ['Tags', 'Host', 'Samples', 'Sum', 'Last', 'Seen'].map((t, i) =>
      h('th', {scope: 'col', class: i > 1 ? 'num' : null}, t)))),
      h('tbody', null, rows.map((s) => h('tr', null, h('td', null, s.tags.length ? tags(s.tags) : h('span', {class: 'dim'}, 'no tags')),
        h('td', null, h('bdi', null, s.host || '')), h('td', {class: 'num'}, whole(s.samples)),
        h('td', {class: 'num', title: String(s.sum)}, number(s.sum)), h('td', {class: 'num', title: String(s.last)}, number(s.last)),
        h('td', {class: 'num', title: s.last_at}, ago(s.last_at))))))),
      m.series > rows.length && h('p', {class: 'dim'}, `The first ${rows.length} of ${whole(m.series)}.`));
  }

  function drawSamples(list) {
    replace(samples, h('div', {class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Newest samples'}, h('table', {class: 'plain'}, h('tbody', null, list.reverse().map((s) => h('tr', null,
      h('td', {class: 'dim', title: s.received_at}, clockMs(s.received_at)), h('td', {class: 'num'}, value(s),
        s.sample_rate !== 1 && h('span', {class: 'dim'}, ` @${number(s.sample_rate)}`)),
      h('td', null, tags(s.tags)), h('td', {class: 'dim'}, s.source)))))));
  }

  const polling = poll(load, 1000);
  return {stop() { stopped = true; looked.disconnect(); polling.stop(); }, copy() { if (latest) copy(line(), 'the expectation'); }};
}

function card(title, side, content) {
  return h('section', {class: 'card'}, h('div', {class: 'cardhead'}, h('h2', null, title), side), content);
}

function drawFigures(list, m) {
  const pooled = POOLED.includes(m.type);
  const rows = [['samples', m.samples], ['series', m.series]];
  if (m.type !== 'set') rows.push(m.type === 'gauge' ? null : ['sum', m.sum], pooled && m.type !== 'gauge' && ['avg', m.count ? m.sum / m.count : null],
    ['min', m.min], ['max', m.max], ['last', m.last]);
  replace(list, rows.filter(Boolean).map(([word, n]) => h('div', null, h('dt', null, word), h('dd', {title: n === null ? null : String(n)}, number(n)))),
    h('div', null, h('dt', null, 'seen'), h('dd', {title: m.last_at}, ago(m.last_at))));
}

function percentiles(g) {
  return h('dl', {class: 'percentiles'}, Object.entries(g.percentiles).map(([p, v]) =>
    h('div', null, h('dt', null, p), h('dd', {title: String(v)}, number(v)))));
}
