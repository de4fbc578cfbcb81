// Expectations, judged while they are typed and while data arrives.
import {h, replace, copyButton} from './dom.js';
import {post} from './api.js';
import {shell} from './format.js';
import {SIGNS, tally, result} from './report.js';

const TYPED_MS = 180, DATA_MS = 1000, KEY = 'statwit-expect-';

export function show(root, route, app) {
  const area = h('textarea', {id: 'expectations', spellcheck: 'false', rows: 12, 'aria-describedby': 'grammar',
    placeholder: 'incr login.attempt{instance:failure} sum == 1'});
  const given = route.params.getAll('e');
  area.value = given.length ? given.join('\n') : localStorage.getItem(KEY + app.session) || '';
  const verdict = h('p', {class: 'verdict', role: 'status'}), results = h('ol', {class: 'cards'});
  replace(root, h('h1', {class: 'hidden'}, 'Expect'), h('div', {class: 'scroll pad', tabindex: 0, role: 'region', 'aria-label': 'Expectations'}, h('div', {class: 'pair expect'},
    h('section', null, h('label', {for: 'expectations'}, 'Expectations, one a line'), area,
      h('p', {class: 'dim', id: 'grammar'}, 'For example ', h('code', null, 'timing http.*{env:ci} p95 < 500'), ' or ', h('code', null, 'no any errors.*')),
      h('div', {class: 'actions'}, copyButton(() => area.value.trimEnd() + '\n', 'the file', 'Copy as file'), copyButton(command, 'the command', 'Copy as command'))),
    h('section', null, verdict, results))));

  function lines() {
    return area.value.split('\n').map((l) => l.trim()).filter((l) => l && !l.startsWith('#'));
  }

  function command() {
    return ['statwit expect', app.session === 'default' ? '' : `--session ${shell(app.session)}`, ...lines().map(shell)].filter(Boolean).join(' ');
  }

  function draw(report) {
    if (report.verdict === 'error') {
      verdict.className = 'verdict v-fail';
      replace(verdict, report.line ? `Line ${report.line} cannot be read` : 'This cannot be read');
      replace(results, h('li', {class: 'card result v-fail'}, h('p', null, h('bdi', null, report.error)),
        report.excerpt && h('pre', {tabindex: 0, class: 'line'}, report.excerpt)));
      return;
    }
    verdict.className = `verdict v-${report.verdict}`;
    replace(verdict, SIGNS[report.verdict], ' ', tally(report.results));
    replace(results, report.results.map((r) => result(r, app)));
  }

  let timer = 0, running = false, again = false, stopped = false, busy_ms = 0, last = 0, shown = '';
  async function judge() {
    clearTimeout(timer);
    if (running) { again = true; return; }
    if (!lines().length) {
      shown = '';
      verdict.className = 'verdict';
      replace(verdict, 'Write a line: it is judged at once, and again whenever data arrives.');
      replace(results);
      return;
    }
    running = true;
    const began = performance.now();
    try {
      const report = await post('expect', {expect: [{text: area.value}], session: app.session, keep: false});
      const key = JSON.stringify({...report, waited_ms: 0});
      if (!stopped && key !== shown) draw(report);
      shown = key;
    } catch (error) {
      if (error.status && !stopped) {
        shown = '';
        verdict.className = 'verdict v-fail';
        replace(verdict, error.message);
        replace(results);
      }
    }
    running = false;
    last = performance.now();
    busy_ms = last - began;
    if (again && !stopped) { again = false; judge(); }
  }

  area.addEventListener('input', () => {
    localStorage.setItem(KEY + app.session, area.value);
    route.params.delete('e');
    for (const line of lines().slice(0, 40)) route.params.append('e', line);
    app.rewrite(route);
    clearTimeout(timer);
    timer = setTimeout(judge, TYPED_MS);
  });
  // At most once a second, and at most a tenth of the time.
  const data = () => {
    clearTimeout(timer);
    timer = setTimeout(judge, Math.max(0, Math.max(DATA_MS, 9 * busy_ms) - (performance.now() - last)));
  };
  app.changed.addEventListener('data', data);
  judge();
  return {search: area, stop() {
    stopped = true;
    clearTimeout(timer);
    app.changed.removeEventListener('data', data);
  }};
}
