// Draws one entry of a chat. Text only ever enters the page as text nodes, so
// that nothing that somebody writes can become markup.

export function el(name, props = {}, ...children) {
  const { className, text, on = {}, ...attributes } = props;
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(key, value);
  for (const [event, handler] of Object.entries(on)) node.addEventListener(event, handler);
  node.append(...children.filter(Boolean));
  return node;
}

const colours = ['#3a6ea5', '#8a5a2b', '#4a7c3f', '#8b4a6b', '#5b5ea6', '#7a6a1f', '#2f7f7a', '#a04a3a'];

export function avatar(name) {
  let sum = 0;
  for (const c of name) sum = (sum * 31 + c.codePointAt(0)) % 997;
  const face = el('span', { className: 'avatar', text: [...name].at(-1) ?? '人', 'aria-hidden': 'true' });
  face.style.backgroundColor = colours[sum % colours.length];
  return face;
}

function accountAvatar() {
  return el('span', { className: 'avatar official', text: '心', 'aria-hidden': 'true' });
}

const day = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', month: 'long', day: 'numeric' });
const clock = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', hour: '2-digit', minute: '2-digit', hour12: false });

export function timeLine(at) {
  const when = new Date(at);
  const sameDay = day.format(when) === day.format(new Date());
  return el('p', { className: 'line time', text: (sameDay ? '' : day.format(when) + ' ') + clock.format(when) });
}

// What a person did without words, as a line in the middle.
const deeds = {
  subscribe: e => e.text ? `你扫码关注了公众号（${e.text}）` : '你关注了公众号',
  unsubscribe: () => '你取消了关注',
  SCAN: e => `你扫了二维码（${e.text}）`,
  CLICK: e => `你点了菜单“${e.text}”`,
  VIEW: e => `你打开了“${e.text}”`,
  subscribe_msg_popup_event: e => `你${e.text === 'accept' ? '同意' : '没有同意'}接收“${e.title}”`,
};

// draw gives the node of an entry, or null for what nobody sees. act has tap
// (item), open (url) and enlarge (media address).
export function draw(e, person, act) {
  if (e.channel === 'event') {
    return deeds[e.type] ? el('p', { className: 'line', text: deeds[e.type](e) }) : null;
  }
  if (e.type === 'unavailable') return el('p', { className: 'line failed', text: e.text });
  const mine = e.dir === 'in';
  const body = (bodies[e.type] ?? bodies.text)(e, act);
  const speaker = el('span', { className: 'hidden', text: mine ? '我：' : '公众号：' });
  return el('div', { className: `row ${mine ? 'mine' : 'theirs'}`, 'data-id': e.id },
    mine ? avatar(person) : accountAvatar(), el('div', { className: `bubble ${e.type}` }, speaker, body));
}

const bodies = {
  text: (e, act) => el('p', { className: 'words' }, ...words(e, act)),
  image: (e, act) => el('button', {
    type: 'button', className: 'photo', 'aria-label': '放大照片', on: { click: () => act.enlarge(e.media_url) },
  }, el('img', { src: e.media_url, alt: '照片', loading: 'lazy' })),
  voice: e => el('div', {}, el('p', { className: 'sound', text: '语音' }),
    e.dir === 'in' && el('p', { className: 'heard', text: e.text ? `听写：${e.text}` : '（没有听出字来）' })),
  video: e => el('p', { className: 'words', text: `视频 ${e.title ?? ''}` }),
  location: e => el('div', { className: 'place' }, el('p', { className: 'words', text: e.text || '位置' }),
    el('p', { className: 'degrees', text: `北纬 ${e.lat.toFixed(4)}，东经 ${e.lng.toFixed(4)}` }), el('div', { className: 'map', 'aria-hidden': 'true' })),
  link: e => el('p', { className: 'words', text: `${e.title ?? ''} ${e.text ?? ''}` }),
  raw: () => el('p', { className: 'words', text: '（一条特殊消息）' }),
  news: (e, act) => card(e.title ?? '', [el('p', { className: 'words', text: e.text ?? '' })], e.url, act),
  music: e => el('p', { className: 'words', text: `音乐 ${e.title ?? ''}` }),
  msgmenu: (e, act) => el('div', {},
    e.head && el('p', { className: 'words', text: e.head }),
    el('ul', { className: 'items' }, ...e.items.map(item => el('li', {}, tappable(item, item.content, act)))),
    e.tail && el('p', { className: 'words', text: e.tail })),
  template: (e, act) => card(e.title || '通知', [
    el('dl', {}, ...e.fields.flatMap(f => [el('dt', { text: f.label }), el('dd', { text: f.value })])),
  ], e.url, act),
};

function card(title, children, url, act) {
  return el('div', { className: 'card' }, el('h3', { text: title }), ...children,
    url && el('button', { type: 'button', className: 'detail', text: '查看详情', on: { click: () => act.open(url) } }));
}

function words(e, act) {
  if (!e.spans) return [document.createTextNode(e.text ?? '')];
  return e.spans.map(span => {
    if (span.tap) return tappable(span.tap, span.text, act);
    if (span.url) return el('button', { type: 'button', className: 'link', text: span.text, on: { click: () => act.open(span.url) } });
    return document.createTextNode(span.text);
  });
}

function tappable(item, label, act) {
  return el('button', { type: 'button', className: 'link', text: label, on: { click: () => act.tap(item) } });
}
