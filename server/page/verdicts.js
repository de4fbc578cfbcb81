// What was judged: the reports that the recording keeps, so that a finished run shows which claim failed and why.
import {h, replace, empty, snippet, copyButton} from './dom.js';
import {get, poll} from './api.js';
import {whole, clock, ago, plural} from './format.js';
import {SIGNS, tally, result, uncovered} from './report.js';

const WORDS = [['', 'All'], ['fail', 'Failed'], ['inconclusive', 'Inconclusive'], ['pass', 'Passed']];

export function show(root, route, app) {
  const chips = h('div', {class: 'tools', role: 'group', 'aria-label': 'Verdicts'});
  const body = h('div', {class: 'scroll pad', tabindex: 0, role: 'region', 'aria-label': 'Verdicts'});
  replace(root, h('h1', {class: 'hidden'}, 'Verdicts'), chips, body);
  let verdicts = [], shown = null;
  const opened = new Set(); // ids of those whose claims that passed are shown, also when they are drawn anew

  function draw() {
    const wanted = WORDS.some(([w]) => w === route.params.get('verdict')) ? route.params.get('verdict') : '';
    const count = (w) => verdicts.filter((v) => !w || v.verdict === w).length;
    replace(chips, verdicts.length > 0 && WORDS.map(([word, label]) => (word === wanted || count(word) > 0) && h('button', {type: 'button', class: 'chip',
      'aria-pressed': String(word === wanted), onclick: () => {
        word ? route.params.set('verdict', word) : route.params.delete('verdict');
        app.rewrite(route);
        draw();
      }}, label, h('b', null, whole(count(word))))));
    const list = verdicts.filter((v) => !wanted || v.verdict === wanted);
    replace(body, list.length ? h('ol', {class: 'cards'}, list.map(card)) : verdicts.length ? h('p', {class: 'dim'}, 'None of these.') : nothing());
  }

  function nothing() {
    return empty('Nothing was judged', 'The reports of statwit expect, verify and run, and of the helpers, show here, and stay in the recording: also those of a run that has ended.',
      snippet('In a shell', `statwit expect${app.session === 'default' ? '' : ` --session ${app.session}`} 'incr login.attempt sum == 1'`));
  }

  function card(v) {
    const {report} = v, results = report.results || [];
    const passed = results.filter((r) => r.verdict === 'pass'), others = results.filter((r) => r.verdict !== 'pass');
    const lines = v.kind === 'expect' ? results.map((r) => r.expectation) : [];
    const session = v.session === 'default' || v.session === '*' ? '' : v.session;
    const address = `#/expect?${new URLSearchParams([...lines.slice(0, 40).map((e) => ['e', e]), ...(session ? [['session', session]] : [])])}`;
    return h('li', {class: `card judged v-${v.verdict}`},
      h('div', {class: 'cardhead'}, h('h2', null, h('span', {class: 'sign', 'aria-hidden': 'true'}, SIGNS[v.verdict]), ' ', tally(results) || report.summary || v.verdict),
        h('span', {class: 'word'}, v.kind), v.session !== 'default' && h('span', {class: 'word'}, v.session === '*' ? 'every session' : h('bdi', null, v.session)),
        v.asked > 1 && h('span', {class: 'times', title: `the first time at ${v.first_at}`}, `asked ${plural(v.asked, 'time')}`),
        h('span', {class: 'dim', title: v.at}, `${clock(v.at)}, ${ago(v.at)}`),
        report.text && copyButton(report.text, 'the report'),
        lines.length > 0 && h('a', {class: 'button small', href: address}, 'Expect …')),
      others.length > 0 && h('ol', {class: 'cards'}, others.map((r) => result(r, app))),
      passed.length > 0 && (others.length === 0 && passed.length <= 3 ? h('ol', {class: 'cards'}, passed.map((r) => result(r, app))) : h('details', {open: opened.has(v.id), ontoggle: (e) => (e.target.open ? opened.add(v.id) : opened.delete(v.id))}, h('summary', null, `${whole(passed.length)} passed`), h('ol', {class: 'cards'}, passed.map((r) => result(r, app))))),
      uncovered(report),
      report.omitted > 0 && h('p', {class: 'dim'}, `${plural(report.omitted, 'result')} not kept: the report was too long.`),
      report.losses && report.losses.length > 0 && h('p', {class: 'lostline'}, '⚠ Something was lost: ', report.losses.map((l) => `${l.n} ${l.loss}`).join(', ')));
  }

  async function load() {
    const now = app.status ? `${app.status.recording} ${app.status.verdicts.last_id}` : '';
    if (now && now === shown) return;
    const about = app.session === 'default' ? {} : {session: app.session};
    verdicts = (await get('verdicts', about)).verdicts;
    shown = now;
    draw();
  }
  const polling = poll(load, 1000);
  return {stop: polling.stop};
}
