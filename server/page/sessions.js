// Sessions with their environment, and what was lost.
import {h, replace, dialog, copyButton, toast} from './dom.js';
import {post, remove, save, poll} from './api.js';
import {whole, ago, clock} from './format.js';
import {compareCard} from './compare.js';
import {lossList} from './losses.js';

const SHOWN = 100;
const EXPORTS = [['jsonl', 'jsonl', 'JSON, a record a line'], ['csv', 'csv', 'CSV, the samples'], ['dogstatsd', 'txt', 'DogStatsD lines, to send again'], ['openmetrics', 'prom', 'OpenMetrics, the series']];

export function show(root, route, app) {
  const compare = compareCard(route, app);
  const find = h('input', {type: 'search', class: 'find', placeholder: 'Part of a name or label', 'aria-label': 'Search sessions', hidden: true, oninput: () => load()});
  const more = h('p', {class: 'dim'}), body = h('tbody'), losses = h('div'), runs = h('div');
  replace(root, h('div', {class: 'scroll pad', tabindex: 0, role: 'region', 'aria-label': 'Sessions'},
    h('div', {class: 'cardhead'}, h('h1', null, 'Sessions'), find, h('button', {type: 'button', class: 'primary changes-it', onclick: create}, 'New session')),
    h('div', {class: 'card wide', tabindex: 0, role: 'region', 'aria-label': 'The sessions'}, h('table', {class: 'plain sessions'}, h('thead', null, h('tr', null,
      ['Session', 'Samples', 'Series', 'Events', 'Rejects', 'UDP', ''].map((t, i) => h('th', {scope: 'col', class: i > 0 && i < 5 ? 'num' : null}, t || h('span', {class: 'hidden'}, 'Actions'))))), body), more),
    compare.section, h('section', {class: 'card'}, h('h2', null, 'Losses'), losses), h('section', {class: 'card'}, h('h2', null, 'Runs of this recording'), runs)));

  const attempt = (run, done) => run.then(() => { toast(done); app.refresh(); }, (error) => toast(error.message));

  function create() {
    const input = h('input', {'aria-label': 'Name', autocomplete: 'off', placeholder: 'A name, or nothing for one that is made up', autofocus: true});
    dialog('New session', [h('p', null, 'A session has a UDP port and an API key of its own, so that tests do not see each other.'), input],
      [['Cancel'], ['Make it', () => attempt(post('sessions', input.value ? {name: input.value} : {}), 'The session is open'), 'primary']]);
  }

  function ask(title, sentence, label, run, done) {
    dialog(title, h('p', null, sentence), [['Cancel'], [label, () => attempt(run(), done), 'danger']]);
  }

  function exportIt(s) {
    const file = s.name.replace(/[^\w.-]+/g, '-');
    dialog(`Export what ${s.name} recorded`, h('ul', {class: 'exports'}, EXPORTS.map(([format, end, words]) => h('li', null,
      h('button', {onclick: () => save('export', {session: s.name, format}, `${file}.${end}`).catch((error) => toast(error.message))}, words)))), [['Close']]);
  }

  function row(s) {
    const env = Object.entries(s.env).map(([key, value]) => `export ${key}='${value.replace(/'/g, "'\\''")}'`).join('\n');
    return h('tr', {class: s.name === app.session ? 'current' : null},
      h('td', null, h('a', {href: `#/metrics${s.name === 'default' ? '' : `?session=${encodeURIComponent(s.name)}`}`}, h('bdi', null, s.name)), !s.open && !app.readOnly() && h('span', {class: 'dim'}, ' (ended)'),
        s.label && h('div', {class: 'dim'}, h('bdi', null, s.label))),
      [s.samples, s.series, s.events + s.service_checks].map((n) => h('td', {class: 'num'}, whole(n))),
      h('td', {class: `num ${s.rejects ? 'hog' : ''}`}, whole(s.rejects)), h('td', {class: 'mono'}, s.dogstatsd.udp || ''),
      h('td', {class: 'buttons'}, h('button', {type: 'button', class: 'small', 'aria-label': `Export what ${s.name} recorded`, onclick: () => exportIt(s)}, 'Export'), app.readOnly() ? null : [s.open && copyButton(env, `the environment of ${s.name}`, 'Copy env'),
        h('button', {type: 'button', class: 'small', 'aria-label': `Forget what ${s.name} recorded`, onclick: () => ask(`Forget what ${s.name} recorded?`, 'Its samples, events, checks and rejects are removed. The session stays open.', 'Forget',
          () => post('reset', {}, {session: s.name}), 'Forgotten')}, 'Forget'),
        s.name !== 'default' && h('button', {type: 'button', class: 'small danger', 'aria-label': `Remove ${s.name}`, onclick: () => ask(`Remove ${s.name}?`, 'The session ends, and what it recorded is removed.', 'Remove',
          () => remove(`sessions/${encodeURIComponent(s.name)}`), 'Removed')}, 'Remove')]));
  }

  let shown = '';
  async function load() {
    if (!app.status) return;
    const key = JSON.stringify([find.value, app.sessions, app.session, app.status.losses, app.status.runs]);
    if (key === shown) return;
    shown = key;
    const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') || document.activeElement.textContent : null;
    const list = app.sessions.filter((s) => s.name.includes(find.value) || (s.label || '').includes(find.value));
    find.hidden = app.sessions.length <= 10;
    replace(body, list.slice(0, SHOWN).map(row));
    replace(more, list.length > SHOWN && `The first ${SHOWN} of ${whole(list.length)}.`);
    if (focused !== null) for (const e of body.querySelectorAll('a, button')) if ((e.getAttribute('aria-label') || e.textContent) === focused) e.focus({preventScroll: true});
    compare.names(app.sessions.map((s) => s.name));
    replace(losses, lossList(app.status.losses));
    replace(runs, h('ul', {class: 'losses'}, [...app.status.runs].reverse().slice(0, 20).map((r, i) => h('li', {title: r.started_at}, `${clock(r.started_at)} (${ago(r.started_at)}), statwit ${r.version}`,
      i === 0 && !app.readOnly() ? ', goes on' : r.ended_cleanly ? '' : ', did not end cleanly'))));
  }
  app.refresh(); // another may have been opened elsewhere
  const polling = poll(load, 500);
  return {stop: polling.stop, search: find};
}
