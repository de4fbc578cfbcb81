// Events and service checks, newest first.
import {h, replace, empty} from './dom.js';
import {get, poll} from './api.js';
import {clockMs, tags} from './format.js';

const NEWEST = 200;

export function show(root, route, app) {
  const box = h('div', {class: 'scroll pad', tabindex: 0, role: 'region', 'aria-label': 'Events and checks'});
  replace(root, h('h1', {class: 'hidden'}, 'Events and service checks'), box);
  let seen = '';

  function event(e) {
    return h('li', {class: `card event a-${e.alert_type || 'info'}`}, h('div', {class: 'cardhead'}, h('h3', null, h('bdi', null, e.title)),
      h('span', {class: `word w-${e.alert_type || 'info'}`}, e.alert_type || 'info'), e.priority === 'low' && h('span', {class: 'word'}, 'low'),
      h('span', {class: 'dim', title: e.received_at}, `${clockMs(e.received_at)} ${e.source}`)),
    e.text && h('p', {class: 'message'}, h('bdi', null, e.text)), e.tags.length > 0 && tags(e.tags), e.host && h('span', {class: 'dim'}, ' on ', h('bdi', null, e.host)));
  }

  function check(c) {
    return h('li', {class: `card event a-${c.status}`}, h('div', {class: 'cardhead'}, h('h3', null, h('bdi', null, c.name)),
      h('span', {class: `word w-${c.status}`}, c.status), h('span', {class: 'dim', title: c.received_at}, `${clockMs(c.received_at)} ${c.source}`)),
    c.message && h('p', {class: 'message'}, h('bdi', null, c.message)), c.tags.length > 0 && tags(c.tags), c.host && h('span', {class: 'dim'}, ' on ', h('bdi', null, c.host)));
  }

  const part = (title, rows, one) => h('section', null, h('h2', {class: 'parthead'}, title, rows.length === NEWEST && ` (the newest ${NEWEST})`),
    rows.length ? h('ol', {class: 'cards'}, rows.map(one)) : h('p', {class: 'dim'}, 'None.'));

  async function load() {
    const here = app.here(), now = here && `${app.session} ${here.events} ${here.service_checks}`;
    if (now && now === seen) return;
    const about = {session: app.session, newest: 'true', limit: NEWEST};
    const [e, c] = await Promise.all([get('events', about), get('service_checks', about)]);
    seen = now;
    replace(box, e.events.length + c.service_checks.length
      ? h('div', {class: 'pair'}, part('Events', e.events.reverse(), event), part('Service checks', c.service_checks.reverse(), check))
      : empty('No events, no service checks', 'What your program reports with _e{…} and _sc, or over HTTP, shows here.'));
  }
  const polling = poll(load, 1000);
  return {stop: polling.stop};
}
