// The metrics: the list, one metric, or, where there is room, both side by side.
import {h, replace} from './dom.js';
import * as metrics from './metrics.js';
import * as metric from './metric.js';

const ROOM = matchMedia('(min-width: 900px)');
const LIST = ['q', 'sort', 'desc', 'offset']; // what an address says of the list

export function show(root, route, app) {
  const left = h('div', {class: 'pane'}), right = h('div', {class: 'pane'}), box = h('div', {class: 'panes'}, left, right);
  box.addEventListener('click', follow, true);
  replace(root, box);
  let list = null, one = null;

  function draw() {
    const beside = route.name !== '' && ROOM.matches, listed = beside || route.name === '';
    box.classList.toggle('beside', beside);
    left.hidden = !listed;
    right.hidden = route.name === '';
    if (!listed) drop();
    else if (list) list.turn(route);
    else list = metrics.show(left, route, app);
    if (one) one.stop();
    one = route.name === '' ? null : metric.show(right, route, app, beside);
    if (!one) replace(right);
  }

  function drop() {
    if (list) list.stop();
    list = null;
    replace(left);
  }

  // A link from here to a metric, or back, keeps the list as it is now. A second click on the one that is open goes into it.
  function keep(href) {
    const mark = href.indexOf('?'), params = new URLSearchParams(mark < 0 ? '' : href.slice(mark + 1));
    for (const key of LIST) route.params.has(key) ? params.set(key, route.params.get(key)) : params.delete(key);
    return (mark < 0 ? href : href.slice(0, mark)) + (params.toString() ? `?${params}` : '');
  }
  function follow(e) {
    const a = e.target.closest('a[href^="#/metrics"]');
    if (!a) return;
    a.setAttribute('href', keep(a.getAttribute('href')));
    if (a.closest('tr.at') && !(e.ctrlKey || e.metaKey || e.shiftKey)) { e.preventDefault(); enter(); }
  }
  const enter = () => right.querySelector('.scroll').focus({preventScroll: true});

  // Whoever was in the list stays in it; whoever was in a metric, or comes to one that takes the whole screen, stands at its beginning.
  function turn(next) {
    const name = route.name, inside = right.contains(document.activeElement), again = inside && document.activeElement.textContent;
    route = next;
    draw();
    if (route.name === '') {
      if (name !== '') list.turned(inside);
    } else if (left.hidden || inside) {
      enter();
      if (again) for (const a of right.querySelectorAll('nav a')) if (a.textContent === again) a.focus({preventScroll: true});
    }
  }

  ROOM.addEventListener('change', draw);
  draw();
  return {
    turn,
    stop() { ROOM.removeEventListener('change', draw); drop(); if (one) one.stop(); },
    // Whether it stepped. An arrow scrolls what has the focus, where that is not the list.
    step(by, arrow = false) { return list !== null && !(arrow && right.contains(document.activeElement)) && list.step(by); },
    get search() { return list && list.search; },
    get back() { return one ? keep(app.href('/metrics', {})) : null; },
    copy() { if (one) one.copy(); },
  };
}
