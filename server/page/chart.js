// Two small charts as SVG: over time, and how values are distributed. Style sheets colour them, so that dark mode needs nothing.
import {h, svg, replace} from './dom.js';
import {number, clock, plural} from './format.js';

const H = 210, LEFT = 52, RIGHT = 8, TOP = 10, BOTTOM = 24;
let W = 720; // pixels, of the chart being drawn, so that letters keep their size

function ticks(low, high) {
  const raw = (high - low) / 4 || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const list = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) list.push(at);
  return list;
}

function path(points) { // gaps where a bucket is empty
  let text = '', pen = 'M';
  for (const point of points) {
    if (point === null) { pen = 'M'; continue; }
    text += `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    pen = 'L';
  }
  return text;
}

function frame(label, low, high, y) {
  return svg('svg', {viewBox: `0 0 ${W} ${H}`, class: 'chart', role: 'img', 'aria-label': label},
    ticks(low, high).map((at) => [
      svg('line', {class: 'grid', x1: LEFT, x2: W - RIGHT, y1: y(at), y2: y(at)}),
      svg('text', {class: 'tick', x: LEFT - 8, y: y(at) + 4, 'text-anchor': 'end'}, number(at))]));
}

// `kind`: "sum" draws bars of each bucket's sum (or of n, for sets); else p50 and p95 over a band from min to max.
// `reading`: the time, in ms as a text, at which somebody reads the chart; the returned box has it as data-at.
export function timeline(t, kind, width, reading) {
  W = width || 720;
  const bars = kind !== 'pooled';
  const column = kind === 'set' ? t.n : t.sum;
  const seen = (bars ? column : [...t.min, ...t.max]).filter((v) => v !== null);
  if (!seen.length) return h('p', {class: 'dim'}, 'No samples in this range.');
  const low = Math.min(0, ...seen), high = Math.max(...seen, low + 1e-9), n = t.buckets;
  const step = (W - LEFT - RIGHT) / n;
  const y = (v) => TOP + (H - TOP - BOTTOM) * (1 - (v - low) / (high - low));
  const x = (i) => LEFT + step * (i + 0.5);
  const at = (i) => t.from_ms + i * t.step_ms;
  const samples = t.n.reduce((a, b) => a + b, 0);
  const chart = frame(`${plural(samples, 'sample')} from ${clock(at(0))} to ${clock(at(n))}, highest ${number(high)}`, low, high, y);
  if (bars) column.forEach((v, i) => v && chart.append(svg('rect', {class: 'bar', x: x(i) - step * 0.42, width: step * 0.84,
    y: Math.min(y(v), y(0)), height: Math.max(1, Math.abs(y(v) - y(0)))})));
  else {
    for (let i = 0; i < n; i++) if (t.n[i]) chart.append(svg('rect', {class: 'band', x: x(i) - step / 2, width: step,
      y: y(t.max[i]), height: Math.max(2, y(t.min[i]) - y(t.max[i]))}));
    for (const key of ['p50', 'p95']) {
      chart.append(svg('path', {class: key, d: path(t[key].map((v, i) => (v === null ? null : [x(i), y(v)])))}));
      t[key].forEach((v, i) => v !== null && t[key][i - 1] == null && t[key][i + 1] == null &&
        chart.append(svg('circle', {class: key, cx: x(i), cy: y(v), r: 2.5})));
    }
  }
  const marks = W > 500 ? 4 : 2;
  for (let k = 0; k <= marks; k++) {
    const i = Math.round((n - 1) * k / marks);
    chart.append(svg('text', {class: 'tick', x: x(i), y: H - 6, 'text-anchor': k === 0 ? 'start' : k === marks ? 'end' : 'middle'}, clock(at(i))));
  }
  return withCursor(chart, t, kind, {n, x, at, column, step, wide: W}, reading);
}

function withCursor(chart, t, kind, {n, x, at, column, step, wide}, reading) {
  const line = svg('line', {class: 'cursor', y1: TOP, y2: H - BOTTOM, visibility: 'hidden'});
  const tip = h('output', {class: 'tip'});
  chart.append(line);
  let place = n - 1;
  function show(i) {
    place = Math.max(0, Math.min(n - 1, i));
    line.setAttribute('x1', x(place));
    line.setAttribute('x2', x(place));
    line.setAttribute('visibility', 'visible');
    box.dataset.at = at(place);
    const parts = [clock(at(place)), t.n[place] ? plural(t.n[place], 'sample') : 'no samples'];
    if (t.n[place] && kind === 'pooled') parts.push(`p50 ${number(t.p50[place])}`, `p95 ${number(t.p95[place])}`,
      `min ${number(t.min[place])}`, `max ${number(t.max[place])}`);
    else if (t.n[place] && kind === 'sum') parts.push(`sum ${number(column[place])}`);
    replace(tip, parts.join('  ·  '));
  }
  const box = h('div', {class: 'chartbox', tabindex: 0, role: 'group', 'aria-label': 'Chart; the arrow keys read it',
    onkeydown: (e) => {
      if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
      e.preventDefault();
      show(place + (e.key === 'ArrowLeft' ? -1 : 1));
    },
    onpointermove: (e) => {
      const rect = chart.getBoundingClientRect();
      show(Math.floor(((e.clientX - rect.left) / rect.width * wide - LEFT) / step));
    },
    onpointerleave: () => {
      delete box.dataset.at;
      line.setAttribute('visibility', 'hidden');
      replace(tip);
    }}, chart, tip);
  const again = reading ? Math.floor((Number(reading) - at(0)) / t.step_ms) : -1;
  if (again >= 0 && again < n) show(again);
  return box;
}

export function histogram(g, width) {
  W = width || 720;
  if (!g.bins.length) return h('p', {class: 'dim'}, 'No numbers to show.');
  const most = Math.max(...g.bins.map((b) => b[2])), n = g.bins.length;
  const step = Math.min(60, (W - LEFT - RIGHT) / n);
  const y = (v) => TOP + (H - TOP - BOTTOM) * (1 - v / most);
  const chart = frame(`Values from ${number(g.min)} to ${number(g.max)}, average ${number(g.avg)}`, 0, most, y);
  const every = Math.ceil(n * 70 / (step * n));
  g.bins.forEach(([from, to, count], i) => {
    const text = from === to ? number(from) : `${number(from)} to ${number(to)}`;
    chart.append(svg('rect', {class: 'bar', x: LEFT + step * i + 1, width: Math.max(1, step - 2), y: y(count), height: H - BOTTOM - y(count)},
      svg('title', null, `${text}: ${number(count)}`)));
    if (i % every === 0) chart.append(svg('text', {class: 'tick', x: LEFT + step * (i + 0.5), y: H - 6, 'text-anchor': 'middle'}, number(Number(from.toPrecision(3)))));
  });
  return h('div', {class: 'chartbox'}, chart);
}
