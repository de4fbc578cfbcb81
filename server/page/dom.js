// Makes elements. Text is only ever text: nothing here reads markup, so no name, tag or message can become an element.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, props, children) {
  for (const [key, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'value') element.value = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
}

// h('a', {href: '#/', onclick: f}, 'text', [more])
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

export function replace(element, ...children) {
  element.textContent = '';
  add(element, children);
}

// Writes only what differs, so that nothing is laid out anew for a figure that stayed the same.
export function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export function title(element, words) {
  if (words === null) element.removeAttribute('title');
  else if (element.title !== words) element.title = words;
}

let toastTimer = 0;
export function toast(text) {
  const element = document.getElementById('toast');
  element.textContent = text;
  element.classList.add('on');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => element.classList.remove('on'), 2200);
}

// Where the browser gives no clipboard (a page without TLS from another host), a dialog shows the text.
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied ${what}`);
  } catch {
    dialog(`Copy ${what}`, h('textarea', {rows: 8, readonly: true, 'aria-label': what, value: text}), [['Close']]);
  }
}

export function copyButton(text, what, label = 'Copy') {
  return h('button', {type: 'button', class: 'small', 'aria-label': label.includes(' ') ? null : `Copy ${what}`,
    onclick: () => copy(typeof text === 'function' ? text() : text, what)}, label);
}

// buttons: [label, what it does, class]; returns the dialog. Escape closes it.
export function dialog(title, content, buttons, onclose) {
  const box = h('dialog', {'aria-labelledby': 'dialog-title'},
    h('form', {method: 'dialog'},
      h('h2', {id: 'dialog-title'}, title), content,
      h('div', {class: 'buttons'}, buttons.map(([label, run, style]) =>
        h('button', {class: style, onclick: run}, label)))));
  box.addEventListener('close', () => { box.remove(); if (onclose) onclose(); });
  document.body.append(box);
  box.showModal();
  return box;
}

// An empty screen: a title, a sentence, and whatever helps.
export function empty(title, sentence, ...more) {
  return h('div', {class: 'empty'}, h('h2', null, title), h('p', null, sentence), more);
}

export function snippet(title, text) {
  return h('figure', {class: 'snippet'},
    h('figcaption', null, title, copyButton(text, title)), h('pre', {tabindex: 0}, text));
}
