// Numbers, times and names for people. The exact value belongs in a title.
import {h} from './dom.js';

export function number(n) {
  if (n === null || n === undefined) return '–';
  const size = Math.abs(n);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return n.toExponential(2);
  if (size >= 1e4) { // with all digits it would look exact
    let unit = 0, part = Number(n.toPrecision(3));
    for (; Math.abs(part) >= 1000; unit++) part = Number((part / 1000).toPrecision(3));
    return `${part}${['', 'k', 'M', 'G', 'T'][unit]}`;
  }
  return Number(n.toPrecision(4)).toLocaleString('en', {maximumFractionDigits: 6});
}

export function whole(n) {
  return n.toLocaleString('en');
}

export function plural(n, word, words = word + 's') {
  return `${whole(n)} ${n === 1 ? word : words}`;
}

export function bytes(n) {
  if (n < 1e3) return `${n} B`;
  const [of, unit] = n < 1e6 ? [1e3, 'kB'] : n < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${Number((n / of).toPrecision(3))} ${unit}`;
}

// One word of a command line.
export function shell(text) {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

export function clock(time) {
  const at = new Date(time);
  const two = (n) => String(n).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function clockMs(time) {
  return `${clock(time)}.${String(new Date(time).getMilliseconds()).padStart(3, '0')}`;
}

export function ago(time) {
  const s = (Date.now() - new Date(time)) / 1000;
  if (s < 2) return 'now';
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

// "http.request." dim and "duration" bold
export function name(text) {
  const dot = text.lastIndexOf('.', text.length - 2) + 1;
  return h('span', {class: 'name'}, h('bdi', null, text.slice(0, dot), h('b', null, text.slice(dot))));
}

export function type(word) {
  return h('span', {class: `type t-${word}`}, word);
}

export function tags(list, link) {
  return h('span', {class: 'tags'}, list.map((tag) => link
    ? h('a', {class: 'tag', href: link(tag)}, h('bdi', null, tag))
    : h('span', {class: 'tag'}, h('bdi', null, tag))));
}

export function value(sample) {
  if (sample.value === null || sample.value === undefined) return h('span', {class: 'text'}, h('bdi', null, sample.text ?? '–'));
  return h('span', {title: String(sample.value)}, number(sample.value));
}

// A line of text with its wrong place marked and a caret below. `offset` counts bytes.
export function caret(text, offset) {
  const bytesOf = new TextEncoder().encode(text).subarray(0, offset);
  const before = new TextDecoder().decode(bytesOf);
  const at = Math.min([...before].length, [...text].length);
  const letters = [...text];
  // What is not seen, or turns what follows around, would move the caret away from its place.
  const shown = (list) => list.map((c) => (/[\p{Cc}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u.test(c) ? '·' : c)).join('');
  const from = Math.max(0, at - 300);
  const lead = shown(letters.slice(from, at));
  return h('pre', {tabindex: 0, class: 'line', dir: 'ltr'},
    from ? '…' : '', lead, h('mark', null, shown(letters.slice(at, at + 1)) || ' '),
    shown(letters.slice(at + 1, at + 500)), letters.length > at + 500 ? '…' : '',
    '\n', ' '.repeat([...lead].length + (from ? 1 : 0)), h('span', {class: 'caret'}, '^'));
}
