// What changed between two sessions, or two recordings.
import {h, replace} from './dom.js';
import {get, post} from './api.js';
import {number, whole, name, type} from './format.js';

const MANY = 1000, ROWS = 100;

export function compareCard(route, app) {
  const before = h('select', {'aria-label': 'Before'}), after = h('select', {'aria-label': 'After'});
  const result = h('div', {class: 'compared', role: 'region', 'aria-label': 'What changed', 'aria-live': 'polite'});
  const section = h('section', {class: 'card compare', hidden: true}, h('h2', null, 'Compare two'),
    h('div', {class: 'actions'}, h('label', null, 'Before ', before), h('label', null, 'After ', after),
      h('button', {type: 'button', onclick: () => {
        route.params.set('a', before.value);
        route.params.set('b', after.value);
        app.rewrite(route);
        run();
      }}, 'Compare')), result);

  function names(list) {
    section.hidden = list.length < 2;
    const chosen = [before.value || route.params.get('a') || list[0], after.value || route.params.get('b') || list[1]];
    [before, after].forEach((select, i) => {
      replace(select, list.map((n) => h('option', {value: n}, n)));
      select.value = list.includes(chosen[i]) ? chosen[i] : list[i];
    });
    if (!result.firstChild && route.params.get('a') && list.length > 1) run();
  }

  async function run() {
    const [a, b] = [before.value, after.value];
    replace(result, h('p', {class: 'dim'}, 'Comparing …'));
    try {
      const [diff, old, now] = await Promise.all([post('diff', {a: {session: a, since: 0}, b: {session: b, since: 0}}),
        get('metrics', {session: a, limit: MANY}), get('metrics', {session: b, limit: MANY})]);
      draw(diff, old, now, a, b);
    } catch (error) {
      replace(result, h('p', null, error.message));
    }
  }

  const to = (session, m, kind) => `#/metrics/${encodeURIComponent(m)}?${new URLSearchParams({...(kind ? {type: kind} : {}), ...(session === 'default' ? {} : {session})})}`;

  function part(title, sign, list) {
    return list.length > 0 && h('section', null, h('h3', null, `${title} (${whole(list.length)})`),
      h('ul', {class: `changes ${sign}`}, list.slice(0, ROWS).map((one) => h('li', null, one))), list.length > ROWS && h('p', {class: 'dim'}, `and ${whole(list.length - ROWS)} more`));
  }

  function draw(diff, old, now, a, b) {
    const changed = diff.text.split('\n').filter((line) => line.startsWith('~ '));
    const entry = (session) => (m) => [h('a', {href: to(session, m.name)}, name(m.name)), ' ', m.types.map(type), ' ', h('span', {class: 'keys'}, h('bdi', null, m.tags.join(', ')))];
    replace(result, diff.same && h('p', {class: 'same'}, '✓ The same metrics, types and tags.'),
      h('div', {class: 'pair'}, part('Added', 'added', diff.added.map(entry(b))), part('Removed', 'removed', diff.removed.map(entry(a)))),
      part('Renamed', 'changed', diff.renamed.map((m) => [h('a', {href: to(a, m.from)}, name(m.from)), ' → ', h('a', {href: to(b, m.to)}, name(m.to))])),
      part('Changed', 'changed', changed.map((line) => h('code', null, h('bdi', null, line.slice(2))))), numbers(old, now, a, b));
  }

  // Those that both have, the greatest difference first.
  function numbers(old, now, a, b) {
    const key = (m) => `${m.type} ${m.name}`, before = new Map(old.metrics.map((m) => [key(m), m]));
    const value = (m) => (m.type === 'set' ? null : m.type === 'count' ? m.sum : m.type === 'gauge' ? m.last : m.count ? m.sum / m.count : null);
    const apart = (x, y) => (x === y ? 0 : Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y)));
    const rows = now.metrics.filter((m) => before.has(key(m))).map((m) => [before.get(key(m)), m])
      .map(([x, y]) => ({x, y, how: Math.max(apart(x.samples, y.samples), apart(value(x) || 0, value(y) || 0))})).sort((p, q) => q.how - p.how);
    const cut = old.total > MANY || now.total > MANY;
    return rows.length > 0 && h('section', null, h('h3', null, 'Numbers of what both have'), h('div', {class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Numbers'},
      h('table', {class: 'plain'}, h('thead', null, h('tr', null, ['Metric', 'Type', 'Samples before', 'after', 'Value before', 'after'].map((t, i) => h('th', {scope: 'col', class: i > 1 ? 'num' : null}, t)))),
        h('tbody', null, rows.slice(0, ROWS).map(({x, y}) => h('tr', null, h('td', null, h('a', {href: to(b, y.name, y.type)}, name(y.name))), h('td', null, type(y.type)),
          [[x.samples, y.samples], [value(x), value(y)]].map(([p, q]) => [h('td', {class: 'num', title: String(p)}, number(p)), h('td', {class: `num ${p === q ? '' : 'differs'}`, title: String(q)}, number(q))])))))),
      h('p', {class: 'dim'}, `Value: the sum of a count, the last of a gauge, else the average.${cut ? ` Of the first ${whole(MANY)} metrics by name.` : ''}${rows.length > ROWS ? ` The ${ROWS} that differ most.` : ''}`));
  }

  return {section, names};
}
