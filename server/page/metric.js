// One metric: its figures, over time, its values, tags, series and newest samples.
import {h, replace, copy, copyButton, toast} from './dom.js';
import {get, post, poll} from './api.js';
import {number, whole, plural, ago, clockMs, name, type, tags, value} from './format.js';
import {timeline, histogram} from './chart.js';

const RANGES = [['all', 'All'], ['60', '1 min'], ['300', '5 min'], ['900', '15 min'], ['3600', '1 h']];
const SERIES_SHOWN = 50, SAMPLES_SHOWN = 12;
const LINT_SERIES = 20000; // recorded: with more, problems are looked for when they are asked for
const POOLED = ['timing', 'histogram', 'distribution', 'gauge'];

// In an expectation a name with other characters stands in quotes.
function quoted(text, plain) {
  return plain.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

export function expectation(m, chosen) {
  const word = m.type === 'count' ? 'incr' : m.type;
  const list = chosen.length ? `{${chosen.map((t) => quoted(t, /^[\w.:/-]+$/)).join(',')}}` : '';
  const stat = m.type === 'count' ? `sum == ${m.sum}` : m.type === 'gauge' ? `last == ${m.last}` : `samples == ${m.samples}`;
  return `${word} ${quoted(m.name, /^[\w./-]+$/)}${list} ${stat}`;
}

export function show(root, route, app) {
  const metric = route.name, kind = route.params.get('type') || '';
  const chosen = route.params.getAll('tag');
  const range = RANGES.some(([r]) => r === route.params.get('range')) ? route.params.get('range') : 'all';
  const link = (changes) => app.href(`/metrics/${encodeURIComponent(metric)}`, {type: kind, tag: chosen, range: range === 'all' ? '' : range, ...changes});
  const figures = h('dl', {class: 'figures'}), over = h('div'), values = h('div'), keys = h('div'), series = h('div'), samples = h('div'), problems = h('div');
  const actions = h('div', {class: 'actions'});
  const note = h('p', {class: 'dim', role: 'status'});

  replace(root, h('div', {class: 'scroll pad', tabindex: 0, role: 'region', 'aria-label': 'Metric'},
    h('a', {class: 'back', href: app.href('/metrics', {})}, '← All metrics'),
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
  let drawn = null, linted = '', due = 0; // due: what is below the figures is some 30 kB, so in a flood it comes every three seconds
  async function load() {
    const {metrics, last_id} = await get('metrics', {...about, limit: 1000});
    const m = metrics.find((one) => one.name === metric && (!kind || one.type === kind));
    if (!m) {
      replace(note, 'Nothing of this metric is recorded here, with these tags. It shows here when it arrives.');
      replace(actions); replace(figures); replace(over); replace(values); replace(keys); replace(series); replace(samples); replace(problems);
      drawn = null;
      due = 0;
      return;
    }
    drawFigures(figures, m);
    const state = `${m.samples} ${m.last_at}`;
    if ((state === drawn && range === 'all') || performance.now() < due) return;
    drawn = state;
    due = performance.now() + 3000;
    replace(note, /[*?\ufffd]/.test(metric) && 'The name holds *, ? or bytes that are not text. What is below takes in other names that fit.');
    drawActions(m);
    const young = range === 'all' && !app.readOnly() && Date.now() - new Date(m.first_at) < 60000; // a minute is the shortest that is worth a chart
    const span = young ? '60' : range;
    const [line, shape, found, rows, newest] = await Promise.all([
      get('timeline', {...about, range: span, buckets: 120}), get('histogram', about), get('tags', about),
      get('series', {...about, limit: SERIES_SHOWN}), get('samples', {...about, newest: 'true', limit: SAMPLES_SHOWN})]);
    drawLine(m, line);
    if (linted !== `${m.series}`) {
      linted = `${m.series}`;
      app.status && app.status.counts.series > LINT_SERIES ? replace(problems, h('button', {type: 'button', onclick: () => lint(m)}, 'Look for problems')) : lint(m);
    }
    replace(values, m.type === 'set' ? h('p', {class: 'dim'}, 'A set has members, not numbers; the newest are below.') : [histogram(shape, values.clientWidth), percentiles(shape)]);
    drawTags(found);
    drawSeries(m, rows.series);
    drawSamples(newest.samples, last_id);
  }

  function drawActions(m) {
    const line = expectation(m, chosen);
    const session = app.session === 'default' ? '' : `--session '${app.session}' `;
    replace(actions, copyButton(line, 'the expectation', 'Copy expectation'),
      copyButton(() => `statwit expect ${session}'${line.replace(/'/g, "'\\''")}'`, 'the command', 'Copy command'),
      h('button', {type: 'button', class: 'small', onclick: copyEntry}, 'Copy catalog entry'),
      copyButton(() => JSON.stringify(m, null, 2), 'the JSON', 'Copy JSON'),
      h('span', {class: 'break'}),
      !app.readOnly() && h('a', {class: 'button', href: app.href('/live', {name: metric})}, 'Follow live'),
      h('a', {class: 'button', href: app.href('/expect', {e: [line]})}, 'Expect …'));
  }

  // As `statwit catalog infer` guesses it.
  async function copyEntry() {
    try {
      const {catalog} = await post('infer', {session: app.session, since: 0});
      const entry = JSON.parse(catalog).metrics[metric];
      entry ? copy(JSON.stringify({[metric]: entry}, null, 2), 'the catalog entry') : toast('The catalog does not name this metric');
    } catch (error) {
      toast(error.message);
    }
  }

  // What Datadog rewrites, drops or charges for, of this name.
  async function lint(m) {
    const {results} = await post('lint', {session: app.session, since: 0});
    const list = results.filter((r) => r.name === metric && r.verdict !== 'pass');
    replace(problems, list.length > 0 && h('section', {class: 'card problems'}, h('h2', null, plural(list.length, 'problem')),
      h('ul', null, list.map((r) => h('li', {class: `s-${r.severity}`}, h('span', {class: `word w-${r.severity === 'note' ? 'info' : r.severity}`}, r.rule.replaceAll('-', ' ')), ' ',
        h('bdi', null, r.why || r.observed))))));
  }

  function drawLine(m, line) {
    const way = m.type === 'set' ? 'set' : POOLED.includes(m.type) ? 'pooled' : 'sum';
    const what = {set: 'samples', pooled: 'p50, p95 and the band from min to max', sum: 'sum'}[way];
    replace(over, timeline(line, way, over.clientWidth), h('p', {class: 'legend'}, way === 'pooled' ? [h('i', {class: 'k p50'}), 'p50 ', h('i', {class: 'k p95'}), 'p95 ',
      h('i', {class: 'k band'}), 'min to max, '] : [h('i', {class: 'k bar'}), `${what}, `], `each ${line.step_ms / 1000} s`,
      line.partial ? `; the newest ${whole(line.read)} samples` : ''));
  }

  function drawTags(found) {
    replace(keys, found.partial && h('p', {class: 'dim'}, 'Not all tags: there are too many.'),
      !found.tags.length && h('p', {class: 'dim'}, 'No tags.'),
      found.tags.map((k) => {
        const most = Math.max(...k.values.map((v) => v.samples), 1);
        return h('section', {class: 'key'}, h('h3', null, h('bdi', null, k.key || '(empty)'),
          h('span', {class: k.distinct > 100 ? 'hog' : 'dim'}, plural(k.distinct, 'value'))),
          h('ul', null, k.values.map((v) => {
            const bar = h('span', {class: 'fill'});
            bar.style.width = `${100 * v.samples / most}%`;
            return h('li', null, h('a', {href: link({tag: [...new Set([...chosen, v.tag])]})}, bar,
              h('bdi', {class: 'v'}, v.value === null ? '(no value)' : v.value), h('span', {class: 'n'}, number(v.samples))));
          })),
          k.distinct > k.values.length && h('p', {class: 'dim'}, `and ${whole(k.distinct - k.values.length)} more`));
      }));
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
  return {stop: polling.stop, back: app.href('/metrics', {})};
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
