// One claim and what became of it: for Expect and for Verdicts.
import {h} from './dom.js';
import {tags, name, caret, whole} from './format.js';

export const SIGNS = {pass: '✓', fail: '✕', inconclusive: '?'};

// "3 passed, 1 failed"
export function tally(results) {
  const count = (v) => results.filter((r) => r.verdict === v).length;
  return [count('pass') && `${count('pass')} passed`, count('fail') && `${count('fail')} failed`,
    count('inconclusive') && `${count('inconclusive')} inconclusive: a loss could have changed the verdict`].filter(Boolean).join(', ');
}

const marks = (c) => h('span', {class: 'marks'}, (c.marks || []).map((m) => h('span', {class: `mark m-${m.mark}`}, h('bdi', null, m.text))));

// A series, an event or a check; or a line that was refused.
function closest(c, app) {
  if (c.reject) return h('li', null, h('span', {class: 'reason'}, c.reject.replaceAll('_', ' ')), ' ', h('bdi', null, c.detail || ''), marks(c), c.line && caret(c.line, c.offset || 0));
  if (typeof c.name !== 'string') return h('li', null, h('bdi', null, c.text), marks(c));
  const to = c.type === 'event' || c.type === 'service_check' ? app.href('/events', {}) : app.href(`/metrics/${encodeURIComponent(c.name)}`, {type: c.type});
  return h('li', null, h('a', {href: to}, name(c.name)), ' ', tags(c.tags || []), marks(c));
}

// Series that no expectation names, with --all-covered.
export function uncovered(report) {
  const list = report.uncovered || [];
  if (report.covered === 'inconclusive' && list.length === 0) {
    return h('section', {class: 'card result v-inconclusive'}, h('p', null, 'Every series is named by an expectation, but what was lost could have been of any series.'));
  }
  return list.length > 0 && h('section', {class: `card result v-${report.covered || 'fail'}`}, h('p', null, `${whole(report.n_uncovered || list.length)} series that no expectation names. These would:`),
    h('ul', null, list.slice(0, 50).map((u) => h('li', null, h('code', null, h('bdi', null, u.expectation || u.name || ''))))));
}

export function result(r, app, tag = 'li') {
  return h(tag, {class: `card result v-${r.verdict}`}, h('div', {class: 'cardhead'}, h('span', {class: 'sign', 'aria-hidden': 'true'}, SIGNS[r.verdict]),
    h('code', null, h('bdi', null, r.expectation)), h('span', {class: 'hidden'}, r.verdict)),
  h('dl', {class: 'told'}, h('dt', null, 'observed'), h('dd', null, h('bdi', null, r.observed || '–')),
    r.verdict !== 'pass' && r.why && [h('dt', null, 'why'), h('dd', null, h('bdi', null, r.why))],
    r.verdict !== 'pass' && r.closest && r.closest.length > 0 && [h('dt', null, 'closest'), h('dd', null, h('ul', null, r.closest.map((c) => closest(c, app))))],
    r.note && [h('dt', null, 'note'), h('dd', null, h('bdi', null, r.note))]));
}
