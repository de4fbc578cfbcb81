// What was refused, why, and where in the line.
import {h, replace, empty, copyButton} from './dom.js';
import {get, poll} from './api.js';
import {whole, clockMs, caret} from './format.js';

const NEWEST = 500;

export function show(root, route, app) {
  const chips = h('div', {class: 'tools', role: 'group', 'aria-label': 'Reasons'});
  const list = h('ol', {class: 'cards'});
  const note = h('p', {class: 'dim', role: 'status'});
  replace(root, h('h1', {class: 'hidden'}, 'Rejects'), chips, h('div', {class: 'scroll pad', tabindex: 0, role: 'region', 'aria-label': 'Rejects'}, note, list));
  let rejects = [], reasons = [], total = 0, seen = '';
  const wanted = () => route.params.get('reason') || '';

  function draw() {
    const chip = (reason, label, n) => h('button', {type: 'button', class: 'chip', 'aria-pressed': String(wanted() === reason), onclick: () => {
      reason ? route.params.set('reason', reason) : route.params.delete('reason');
      app.rewrite(route);
      seen = '';
      polling.now();
    }}, label, h('b', null, whole(n)));
    replace(chips, total > 0 && [chip('', 'All', total), reasons.map(({reason, n}) => chip(reason, reason.replaceAll('_', ' '), n))]);
    const groups = new Map(); // identical ones, by the newest
    for (const r of rejects) {
      const key = JSON.stringify([r.reason, r.text, r.offset]), group = groups.get(key);
      if (group) group.n++; else groups.set(key, {r, n: 1});
    }
    replace(note, rejects.length === NEWEST ? `The newest ${NEWEST} are shown. statwit rejects lists all.` : '');
    replace(list, [...groups.values()].map(card));
    if (!total) replace(note, empty('✓ Nothing was refused', 'Every line that reached this session was good. What Datadog would not accept shows here with the reason.'));
    else if (!rejects.length) replace(note, 'None with this reason.');
  }

  function card({r, n}) {
    return h('li', {class: 'card reject'}, h('div', {class: 'cardhead'}, h('h2', {class: 'reason'}, r.reason.replaceAll('_', ' ')),
      n > 1 && h('span', {class: 'times'}, `×${whole(n)}`), h('span', {class: 'dim', title: r.received_at}, `${clockMs(r.received_at)} ${r.source}`),
      r.text && copyButton(r.text, 'the line')), h('p', null, h('bdi', null, r.detail)), r.text && caret(r.text, r.offset));
  }

  async function load() {
    const here = app.here(), now = `${app.session} ${here ? here.rejects : ''}`;
    if (here && now === seen) return;
    const [found, listed] = await Promise.all([get('rejects', {session: app.session, group: 'true'}),
      get('rejects', {session: app.session, newest: 'true', limit: NEWEST, reason: wanted()}).catch((error) => { if (error.status) return {rejects: []}; throw error; })]);
    ({reasons, total} = found);
    rejects = listed.rejects.reverse();
    seen = here ? now : '';
    draw();
  }
  const polling = poll(load, 1000);
  return {stop: polling.stop};
}
