// One claim and what became of it: for Expect and for Verdicts.
import {h} from './dom.js';
import {tags, name} from './format.js';

export const SIGNS = {pass: '✓', fail: '✕', inconclusive: '?'};

// "3 passed, 1 failed"
export function tally(results) {
  const count = (v) => results.filter((r) => r.verdict === v).length;
  return [count('pass') && `${count('pass')} passed`, count('fail') && `${count('fail')} failed`,
    count('inconclusive') && `${count('inconclusive')} inconclusive: a loss could have changed the verdict`].filter(Boolean).join(', ');
}

function closest(c, app) {
  return h('li', null, h('a', {href: app.href(`/metrics/${encodeURIComponent(c.name)}`, {type: c.type})}, name(c.name)), ' ', tags(c.tags || []),
    h('span', {class: 'marks'}, (c.marks || []).map((m) => h('span', {class: `mark m-${m.mark}`}, h('bdi', null, m.text)))));
}

export function result(r, app, tag = 'li') {
  return h(tag, {class: `card result v-${r.verdict}`}, h('div', {class: 'cardhead'}, h('span', {class: 'sign', 'aria-hidden': 'true'}, SIGNS[r.verdict]),
    h('code', null, h('bdi', null, r.expectation)), h('span', {class: 'hidden'}, r.verdict)),
  h('dl', {class: 'told'}, h('dt', null, 'observed'), h('dd', null, h('bdi', null, r.observed || '–')),
    r.verdict !== 'pass' && r.why && [h('dt', null, 'why'), h('dd', null, h('bdi', null, r.why))],
    r.verdict !== 'pass' && r.closest && r.closest.length > 0 && [h('dt', null, 'closest'), h('dd', null, h('ul', null, r.closest.map((c) => closest(c, app))))]));
}
