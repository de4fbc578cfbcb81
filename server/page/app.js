// The frame: addresses, sessions, what the recorder says of itself, keys.
import {h, replace, dialog, toast} from './dom.js';
import {get, poll, link, query} from './api.js';
import {number, whole, bytes, plural} from './format.js';
import * as browse from './browse.js';
import * as live from './live.js';
import * as rejects from './rejects.js';
import * as events from './events.js';
import * as expect from './expect.js';
import * as verdicts from './verdicts.js';
import * as sessions from './sessions.js';
import {lossList} from './losses.js';

const TABS = [['metrics', 'Metrics', browse], ['live', 'Live', live], ['rejects', 'Rejects', rejects],
  ['events', 'Events', events], ['expect', 'Expect', expect],
  ['verdicts', 'Verdicts', verdicts], ['sessions', 'Sessions', sessions]];
const LIST_MS = 10000; // between two looks at all sessions, unless there is a reason
const main = document.getElementById('main'), notice = document.getElementById('notice'), bar = document.getElementById('bar');
const select = document.getElementById('session');

export const app = {
  session: 'default',
  status: null, // of /recorder/v1/status
  sessions: [],
  rate: 0, // samples a second
  changed: new EventTarget(), // "data" when something was recorded
  href(path, params) {
    const text = query({...params, session: app.session === 'default' ? '' : app.session});
    return `#${path}${text ? '?' + text : ''}`;
  },
  // The address says what is on screen, without a step for the back button.
  rewrite(route) {
    const text = route.params.toString();
    history.replaceState(null, '', `#${route.path}${text ? '?' + text : ''}`);
  },
  here() {
    return app.sessions.find((s) => s.name === app.session) || null;
  },
  refresh() {
    listed_ms = -LIST_MS;
    if (looking) looking.now();
  },
  // `statwit view`: nothing arrives, nothing can be changed.
  readOnly() {
    return app.status !== null && app.status.read_only;
  },
  // HOST:PORT where the session takes datagrams; null when it has ended.
  address() {
    const here = app.here();
    return here && here.open ? here.dogstatsd.udp : null;
  },
};

/* --- addresses ------------------------------------------------------------------------------------------- */

let view = null, current = null, looking = null;

function parse() {
  const hash = location.hash.slice(1) || '/metrics';
  const mark = hash.indexOf('?');
  const path = mark < 0 ? hash : hash.slice(0, mark);
  const parts = path.split('/').filter(Boolean);
  let name = '';
  try { name = decodeURIComponent(parts.slice(1).join('/')); } catch { name = parts.slice(1).join('/'); }
  return {path, tab: parts[0] || 'metrics', name, params: new URLSearchParams(mark < 0 ? '' : hash.slice(mark + 1))};
}

function open() {
  const route = parse();
  const tab = TABS.find(([key]) => key === route.tab) || TABS[0];
  const from = current, session = route.params.get('session') || 'default';
  const same = from && from.tab === tab[0] && from.session === session && view.turn;
  app.session = session;
  current = {...route, tab: tab[0], session};
  if (same) view.turn(route);
  else {
    if (view) view.stop();
    replace(main);
    view = tab[2].show(main, route, app);
  }
  document.title = `${route.name || tab[1]} · statwit`;
  drawTabs();
  drawSessions();
  drawNotice();
  if (from && !same) main.focus({preventScroll: true});
}

function drawTabs() {
  const here = app.here();
  const counts = {rejects: here && here.rejects, events: here && here.events + here.service_checks, sessions: app.sessions.length > 1 && app.sessions.length,
    verdicts: app.status && app.status.verdicts.failed};
  replace(document.getElementById('tabs'), TABS.filter(([key]) => !app.readOnly() || key !== 'live').map(([key, label]) => h('a', {href: app.href(`/${key}`, {}),
    'aria-current': current.tab === key ? 'page' : null}, label,
    counts[key] > 0 && h('span', {class: `badge b-${key}`}, number(counts[key])))));
}

function drawSessions() {
  const names = app.sessions.map((s) => s.name);
  if (!names.includes(app.session)) names.push(app.session);
  const key = JSON.stringify([names, app.session]);
  if (select.dataset.key === key) return;
  select.dataset.key = key;
  replace(select, names.map((name) => h('option', {value: name, selected: name === app.session}, name)));
  select.value = app.session;
}

select.addEventListener('change', () => {
  app.session = select.value;
  const keep = current.tab === 'metrics' && current.name ? '/metrics' : `/${current.tab}`;
  location.hash = app.href(keep, {});
});

/* --- the recorder ---------------------------------------------------------------------------------------- */

let before = null;

function lost(status) {
  return Object.values(status.losses).reduce((a, b) => a + b, 0);
}

function drawBar() {
  const s = app.status, n = lost(s);
  replace(bar, h('span', {class: 'state'}, s.read_only ? 'Viewing' : 'Recording'), h('span', {title: whole(s.counts.samples)}, plural(s.counts.samples, 'sample')),
    h('span', {class: 'roomy'}, plural(s.counts.series, 'series', 'series')), !s.read_only && h('span', {class: 'roomy'}, `${number(app.rate)}/s`),
    app.address() && h('span', {class: 'roomy mono', title: 'where this session takes datagrams'}, app.address()),
    h('span', {class: 'roomy file', title: s.db.path}, h('bdi', null, s.db.path.split(', ').map((path) => path.split('/').pop()).join(', ')), ` ${bytes(s.db.bytes)}`),
    h('button', {type: 'button', class: `small ${n ? 'lost' : 'kept'}`, onclick: showLosses}, n ? `${whole(n)} lost` : 'Nothing lost'),
    h('button', {type: 'button', class: 'small', 'aria-label': 'Keys', onclick: help}, '?'));
}

function showLosses() {
  dialog('Losses', lossList(app.status.losses), [['Close']]);
}

// All sessions when there are other ones, when they are on screen, and now and then; else, when something came, the one that is looked at.
let listed_ms = -LIST_MS, told = '';
async function readSessions(status) {
  const now = performance.now(), key = JSON.stringify([status.counts, status.last_id, status.recording]);
  if (now - listed_ms < LIST_MS && status.sessions === app.status.sessions && current.tab !== 'sessions') {
    if (key === told) return;
    try {
      const one = await get(`sessions/${encodeURIComponent(app.session)}`);
      if (!app.sessions.some((s) => s.name === one.name)) app.sessions.push(one);
      app.sessions = app.sessions.map((s) => (s.name === one.name ? one : s));
      told = key;
      return;
    } catch (error) {
      if (error.status !== 404) throw error;
    }
  }
  app.sessions = (await get('sessions')).sessions;
  listed_ms = now;
  told = key;
}

async function look() {
  const status = await get('status');
  const now = performance.now(), counts = JSON.stringify(status.counts);
  const news = !before || status.last_id !== before.id || status.recording !== app.status.recording || counts !== before.counts;
  const names = JSON.stringify(app.sessions.map((s) => [s.name, s.open]));
  await readSessions(status);
  if (before) app.rate = Math.round(Math.max(0, (status.counts.received_samples - before.samples) / ((now - before.at) / 1000)));
  before = {id: status.last_id, samples: status.counts.received_samples, counts, at: now};
  app.status = status;
  document.body.classList.toggle('view', status.read_only);
  drawBar();
  drawTabs();
  drawNotice();
  if (names !== JSON.stringify(app.sessions.map((s) => [s.name, s.open]))) drawSessions();
  if (news) app.changed.dispatchEvent(new Event('data'));
}

// What a reader must know before the content, which stays where it is.
let trouble = '';
function drawNotice() {
  const here = app.here(), gone = app.status && !here;
  const ended = here && !here.open && !app.readOnly();
  const text = trouble ? `The server says: ${trouble}. What you see is what it said last; this page tries again.`
    : gone ? `There is no session ${app.session}, or no longer. What you see of it is what was read last.`
      : ended ? 'This session has ended: nothing more arrives. What it recorded can be read.' : '';
  if (notice.dataset.text === text) return;
  notice.dataset.text = text;
  notice.className = trouble || gone ? 'bad' : '';
  replace(notice, text && h('span', null, h('bdi', null, text)), (gone || ended) && !trouble && app.session !== 'default' && h('a', {class: 'button small', href: '#/metrics'}, 'Show default'));
}

link.addEventListener('trouble', (e) => { trouble = e.detail; drawNotice(); });
link.addEventListener('down', () => {
  document.body.classList.add('down');
  replace(bar, h('span', {class: 'state', role: 'alert'}, 'The server does not answer. What you see is what it said last; this page tries again.'));
});
link.addEventListener('up', () => {
  document.body.classList.remove('down');
  app.refresh();
  toast('The server is back');
});

/* --- keys ------------------------------------------------------------------------------------------------ */

const KEYS = [['1 … 7', 'the screens'], ['/', 'search'], ['j k ↓ ↑', 'the next and the previous metric'], ['Enter', 'open it; again: go into it'],
  ['Esc', 'back to the list'], ['c', 'copy the expectation of the metric'], ['Space', 'pause (Live)'], ['← →', 'read the chart that has the focus'], ['?', 'this list']];

function help() {
  dialog('Keys', h('dl', {class: 'keys-list'}, KEYS.map(([key, what]) => [h('dt', null, h('kbd', null, key)), h('dd', null, what)])), [['Close']]);
}

document.addEventListener('keydown', (e) => {
  const inDialog = document.querySelector('dialog[open]');
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);
  if (e.ctrlKey || e.altKey || e.metaKey || inDialog) return;
  if (e.key === 'Escape') {
    if (typing) e.target.blur();
    else if (view.back) location.hash = view.back;
    return;
  }
  if (typing) return;
  const tab = TABS[Number(e.key) - 1];
  if (tab && /^[1-9]$/.test(e.key)) location.hash = app.href(`/${tab[0]}`, {});
  else if (e.key === '?') help();
  else if (e.key === '/' && view.search) { e.preventDefault(); view.search.focus(); }
  else if (e.key === 'j' && view.step) view.step(1);
  else if (e.key === 'k' && view.step) view.step(-1);
  else if (/^Arrow(Down|Up)$/.test(e.key) && view.step) { if (view.step(e.key === 'ArrowDown' ? 1 : -1, true)) e.preventDefault(); }
  else if (e.key === 'c' && view.copy) view.copy();
  else if (e.key === ' ' && view.pause && !/^(BUTTON|A)$/.test(e.target.tagName)) { e.preventDefault(); view.pause(); }
});

// "#main" would be an address of a screen.
document.getElementById('skip').addEventListener('click', (e) => { e.preventDefault(); main.focus(); });
addEventListener('hashchange', open);
open(); // asks for what it shows before anything else is asked
looking = poll(look, 1000);
