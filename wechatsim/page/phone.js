// Three phones and who holds them. Everything said arrives by one stream of
// server-sent events; what is done on a phone is posted and comes back by it.
import { avatar, draw, el, timeLine } from '/page/bubble.js';

const kinds = [
  { label: '居民', groups: ['resident'] },
  { label: '网格员', groups: ['worker', 'department', 'property', 'volunteer'] },
  { label: '社区党委', groups: ['committee', 'admin', 'partner', 'member'] },
];
const groupNames = {
  resident: '居民', worker: '网格员', department: '部门', property: '物业', volunteer: '志愿者',
  committee: '社区党委', admin: '管理员', partner: '共建单位', member: '党员',
};

const $ = id => document.getElementById(id);
const narrow = matchMedia('(max-width: 900px)');
const people = new Map(); // openid → person
const chats = new Map(); // openid → entries, once loaded
const unread = new Map(); // openid → how many
const seen = stored('wechatsim.seen', {});
const phones = [];
let world; // what /sim/people told
let active = 0; // the phone shown on a narrow screen, and the one used last

function stored(key, otherwise) {
  try { return JSON.parse(localStorage.getItem(key)) ?? otherwise; } catch { return otherwise; }
}
function store(key, value) {
  try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* private window: not kept */ }
}

async function fetchJSON(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

class Phone {
  constructor(kind, index) {
    this.kind = kind;
    this.index = index;
    this.root = $('phone').content.firstElementChild.cloneNode(true);
    this.waiting = 0;
    const find = this.find = selector => this.root.querySelector(selector);
    this.root.setAttribute('aria-label', `${kind.label}的手机`);
    this.root.id = `phone-${index}`;
    find('h2').textContent = kind.label;
    this.log = find('.log');
    this.log.setAttribute('aria-label', `${kind.label}的聊天`);
    this.input = find('textarea');
    this.input.id = `words-${index}`;
    find('label').htmlFor = this.input.id;
    find('.who').addEventListener('click', () => pick(this));
    find('.say').addEventListener('submit', event => { event.preventDefault(); this.sendWords(); });
    this.input.addEventListener('keydown', event => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.sendWords(); }
    });
    this.input.addEventListener('input', () => this.grow());
    find('.plus').addEventListener('click', () => this.panel(find('.panel').hidden ? 'all' : ''));
    find('.more').addEventListener('click', () => this.about(find('.about').hidden));
    find('.unfollow').addEventListener('click', () => { this.about(false); this.do({ kind: 'unfollow' }); });
    find('.follow').addEventListener('click', () => this.do({ kind: 'follow' }));
    this.root.addEventListener('focusin', () => { active = this.index; });
    $('phones').append(this.root);
    this.act = {
      tap: item => this.do({ kind: 'tap', id: item.id, text: item.content }),
      open: address => this.open(address),
      enlarge: address => { $('viewed').src = address; $('viewer').showModal(); },
    };
  }

  grow() {
    this.input.style.height = 'auto';
    this.input.style.height = `${Math.min(this.input.scrollHeight, 132)}px`;
    this.root.classList.toggle('typing', this.input.value.trim() !== '');
  }

  about(show) {
    this.find('.about').hidden = !show;
    this.find('.more').setAttribute('aria-expanded', show);
  }

  async hold(openid) {
    const person = people.get(openid);
    if (!person) return;
    this.openid = openid;
    const held = stored('wechatsim.held', {});
    held[this.index] = openid;
    store('wechatsim.held', held);
    const who = this.find('.who');
    who.querySelector('.avatar').replaceWith(avatar(person.name));
    who.querySelector('.name').textContent = person.name;
    who.querySelector('.role').textContent = person.role || groupNames[person.group] || '';
    who.setAttribute('aria-label', `${this.kind.label}的手机现在是${person.name}，点这里换人`);
    this.find('.home').textContent = [person.name, person.role, person.home, person.phone].filter(Boolean).join(' · ');
    this.about(false);
    this.panel('');
    this.showFollowing();
    this.showHints();
    this.log.replaceChildren();
    this.lastTime = 0;
    await load(openid);
    if (this.openid !== openid) return; // somebody else meanwhile
    this.log.setAttribute('aria-busy', 'true'); // old messages are not read aloud
    for (const entry of chats.get(openid).slice(-300)) this.append(entry, false);
    this.log.setAttribute('aria-busy', 'false');
    if (!this.log.firstChild && person.following) this.log.append(el('p', { className: 'line nothing', text: '还没有消息，在下面说一句试试' }));
    this.scroll(true);
    read(openid);
  }

  append(entry, live = true) {
    const node = draw(entry, people.get(this.openid).name, this.act);
    if (!node) return;
    this.find('.nothing')?.remove();
    const low = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 160;
    const at = Date.parse(entry.at);
    if (at - this.lastTime > 3 * 60e3) this.log.append(timeLine(entry.at));
    this.lastTime = at;
    this.log.append(node);
    if (live) this.scroll(low || entry.dir === 'in');
    node.querySelector('img')?.addEventListener('load', () => this.scroll(low || !live));
  }

  scroll(down) {
    if (down) this.log.scrollTop = this.log.scrollHeight;
  }

  showFollowing() {
    const following = people.get(this.openid).following;
    for (const part of ['.say', '.hint']) this.find(part).hidden = !following;
    this.find('.join').hidden = following;
    this.find('.unfollow').hidden = !following;
    this.showMenu();
    if (!following) this.panel('');
  }

  showHints() {
    const hints = world.examples[people.get(this.openid).group] ?? [];
    const box = this.find('.hint');
    box.replaceChildren(el('span', { text: '试一试' }), ...hints.map(words => el('button', {
      type: 'button', text: words, on: {
        click: () => { this.input.value = words; this.grow(); this.input.focus(); },
      },
    })));
    box.hidden = hints.length === 0 || !people.get(this.openid).following;
  }

  showMenu() {
    const box = this.find('.menu');
    const menu = world.menu ?? [];
    box.hidden = menu.length === 0 || !people.get(this.openid)?.following;
    box.replaceChildren(...menu.map(button => {
      if (!button.sub_button?.length) return this.menuButton(button);
      const list = el('div', { className: 'sub', hidden: '' }, ...button.sub_button.map(b => this.menuButton(b)));
      const head = el('button', { type: 'button', text: `≡ ${button.name}`, 'aria-expanded': 'false', on: {
        click: () => {
          const open = list.hidden;
          for (const other of box.querySelectorAll('.sub')) other.hidden = true;
          list.hidden = !open;
          head.setAttribute('aria-expanded', open);
        },
      } });
      return el('div', {}, head, list);
    }));
  }

  menuButton(button) {
    return el('button', { type: 'button', text: button.name, on: {
      click: () => {
        for (const sub of this.root.querySelectorAll('.menu .sub')) sub.hidden = true;
        if (button.type === 'view') {
          this.do({ kind: 'view', text: button.url });
          this.open(button.url);
        } else if (button.type === 'click') {
          this.do({ kind: 'click', text: button.key });
        } else if (button.type.startsWith('scancode')) {
          this.panel('scan');
        } else if (button.type.startsWith('pic')) {
          this.panel('all');
        } else if (button.type === 'location_select') {
          this.panel('place');
        }
      },
    } });
  }

  // scan does what WeChat does with a code: an address is opened, anything else is
  // a scene of the account.
  scan(text) {
    return /^https?:\/\//i.test(text) ? this.open(text) : this.do({ kind: 'scan', text });
  }

  open(address) {
    const query = new URLSearchParams({ openid: this.openid, url: address });
    window.open(`/sim/open?${query}`, '_blank', 'noopener');
  }

  panel(name) {
    const box = this.find('.panel');
    box.replaceChildren();
    box.hidden = name === '';
    this.find('.plus').setAttribute('aria-expanded', name !== '');
    if (name === '') return;
    box.append(...this.panels[name].call(this));
    box.querySelector('input:not([type=file]), button')?.focus();
  }

  panels = {
    all() {
      const file = el('input', { type: 'file', accept: 'image/*', className: 'hidden', tabindex: '-1', 'aria-label': '选照片', on: {
        change: () => { if (file.files[0]) { this.sendPhoto(file.files[0], file.files[0].name); this.panel(''); } },
      } });
      const tile = (icon, text, click) => el('button', { type: 'button', className: `tile ${icon}`, text, on: { click } });
      return [el('div', { className: 'tiles' }, file,
        tile('album', '照片', () => file.click()),
        tile('dark', '示例照片：灯坏了', () => { this.sendSample(false); this.panel(''); }),
        tile('light', '示例照片：修好了', () => { this.sendSample(true); this.panel(''); }),
        tile('mic', '语音', () => this.panel('voice')),
        tile('pin', '位置', () => this.panel('place')),
        tile('scan', '扫码', async () => { await refresh(); this.panel('scan'); }),
        world.templates?.length && tile('bell', '订阅提醒', () => this.panel('consent')))];
    },
    voice() {
      return this.form('语音里说的话（空着就是没听出来）', '发送语音', [{ name: 'text', label: '语音里说的话' }],
        values => this.do({ kind: 'voice', text: values.text }));
    },
    place() {
      const presets = (world.places ?? []).map(place => el('button', {
        type: 'button', text: place.name, on: {
          click: () => { this.do({ kind: 'location', text: place.name, lat: place.lat, lng: place.lng }); this.panel(''); },
        },
      }));
      const first = world.places?.[0] ?? { lat: 36.69, lng: 116.98 };
      return [el('div', { className: 'choices' }, ...presets), ...this.form('或者自己填', '发送位置', [
        { name: 'text', label: '地名' },
        { name: 'lat', label: '纬度', value: first.lat, inputmode: 'decimal' },
        { name: 'lng', label: '经度', value: first.lng, inputmode: 'decimal' },
      ], values => {
        const [lat, lng] = [Number(values.lat), Number(values.lng)];
        if (!(Math.abs(lat) <= 90 && Math.abs(lng) <= 180)) return this.complain('经纬度不对');
        return this.do({ kind: 'location', text: values.text, lat, lng });
      })];
    },
    scan() {
      const presets = (world.scenes ?? []).map(scene => el('button', {
        type: 'button', text: scene, on: { click: () => { this.do({ kind: 'scan', text: scene }); this.panel(''); } },
      }));
      return [el('div', { className: 'choices' }, ...presets),
        ...this.form('屏幕上的二维码：把它下面的地址复制过来。墙上的楼栋码：写编号，如 b:1:12:3', '扫一扫', [{ name: 'text', label: '内容', required: '' }],
          values => this.scan(values.text.trim()))];
    },
    consent() {
      return [el('p', { className: 'ask', text: '公众号想给你发一次提醒，同意吗？' }), ...world.templates.map(t => el('div', { className: 'consent' },
        el('span', { text: t.title }), ...[['允许', true], ['不要', false]].map(([text, accept]) => el('button', {
          type: 'button', text, 'aria-label': `${t.title}：${text}`, on: {
            click: () => { this.do({ kind: 'consent', text: t.id, accept }); this.panel(''); },
          },
        }))))];
    },
  };

  form(title, button, fields, done) {
    const rows = fields.map(({ name, label, ...rest }) => el('label', {}, el('span', { text: label }),
      el('input', { name, autocomplete: 'off', ...rest })));
    return [el('form', { className: 'ask', on: {
      submit: event => {
        event.preventDefault();
        const values = Object.fromEntries(new FormData(event.target));
        this.panel('');
        done(values);
        this.input.focus();
      },
    } }, el('p', { text: title }), ...rows, el('button', { type: 'submit', text: button }))];
  }

  async sendWords() {
    const words = this.input.value;
    if (words.trim() === '') return;
    this.input.value = '';
    this.grow();
    if (!await this.do({ kind: 'text', text: words }) && this.input.value === '') {
      this.input.value = words; // not lost: it can be sent again
      this.grow();
    }
  }

  async sendSample(lit) {
    try {
      const response = await fetch(`/sim/sample.jpg?light=${lit ? 'on' : 'off'}`);
      await this.sendPhoto(await response.blob(), 'sample.jpg');
    } catch { this.complain('没有发出去'); }
  }

  sendPhoto(blob, name) {
    const form = new FormData();
    form.append('openid', this.openid);
    form.append('photo', blob, name);
    return this.post('/sim/image', { body: form });
  }

  do(gesture) {
    return this.post('/sim/send', {
      headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ openid: this.openid, ...gesture }),
    });
  }

  async post(address, request) {
    let slow = false;
    const timer = setTimeout(() => { slow = true; this.wait(1); }, 600);
    let sent = false;
    try {
      const response = await fetch(address, { method: 'POST', ...request });
      sent = response.ok;
      if (!sent) this.complain((await response.json()).error);
    } catch { this.complain('没有发出去'); }
    clearTimeout(timer);
    if (slow) this.wait(-1);
    return sent;
  }

  // wait shows what WeChat shows while an answer is on its way.
  wait(change) {
    this.waiting += change;
    this.find('.title').textContent = this.waiting > 0 ? '对方正在输入…' : world.account;
  }

  complain(words) {
    this.log.append(el('p', { className: 'line failed', text: words }));
    this.scroll(true);
  }
}

function shown(phone) { return !narrow.matches || phone.index === active; }
function onDisplay(openid) { return phones.some(phone => phone.openid === openid && shown(phone)); }

async function load(openid) {
  if (chats.has(openid)) return;
  const entries = await fetchJSON(`/sim/transcript?openid=${encodeURIComponent(openid)}`);
  if (!chats.has(openid)) chats.set(openid, entries);
}

function arrive(said) {
  const { openid, ...entry } = said;
  const person = people.get(openid);
  if (!person) return;
  if (entry.type === 'subscribe' || entry.type === 'unsubscribe') {
    person.following = entry.type === 'subscribe';
    phones.filter(p => p.openid === openid).forEach(p => p.showFollowing());
  }
  const chat = chats.get(openid);
  if (chat) {
    if (chat.length && chat.at(-1).id >= entry.id) return; // came with the transcript
    chat.push(entry);
    phones.filter(p => p.openid === openid).forEach(p => p.append(entry));
  }
  if (entry.dir !== 'out') return;
  if (onDisplay(openid)) {
    remember(openid, entry.id);
  } else {
    unread.set(openid, (unread.get(openid) ?? 0) + 1);
    showNews();
  }
}

function remember(openid, id) {
  seen[openid] = Math.max(seen[openid] ?? 0, id);
  store('wechatsim.seen', seen);
}

function read(openid) {
  const last = chats.get(openid)?.at(-1);
  if (last) remember(openid, last.id);
  if (onDisplay(openid)) unread.delete(openid);
  showNews();
}

function badge(openid) {
  const count = unread.get(openid);
  return count && el('span', { className: 'badge', text: count > 99 ? '99+' : count, 'aria-label': `${count}条新消息` });
}

function showNews() {
  const chips = [...unread.keys()].map(openid => {
    const person = people.get(openid);
    return el('button', { type: 'button', 'data-openid': openid, on: { click: () => bring(openid) } },
      avatar(person.name), el('span', { text: `${person.name} 有新消息` }), badge(openid));
  });
  $('news').replaceChildren(...chips);
  for (const [index, tab] of [...$('tabs').children].entries()) {
    tab.classList.toggle('new', unread.has(phones[index].openid));
  }
}

// bring puts a person's chat before the eyes: on the phone that holds it, or
// on the one of the person's kind.
function bring(openid) {
  let phone = phones.find(p => p.openid === openid);
  if (!phone) {
    phone = phones.find(p => p.kind.groups.includes(people.get(openid).group)) ?? phones[active];
    phone.hold(openid);
  }
  show(phone.index);
  phone.input.focus();
}

function show(index) {
  active = index;
  for (const phone of phones) phone.root.classList.toggle('active', phone.index === index);
  for (const [i, tab] of [...$('tabs').children].entries()) tab.setAttribute('aria-pressed', i === index);
  const phone = phones[index];
  phone.scroll(true);
  if (chats.has(phone.openid)) read(phone.openid);
}

// refresh learns of people and codes that are new since the page was opened.
async function refresh() {
  try {
    const now = await fetchJSON('/sim/people');
    world.scenes = now.scenes;
    for (const person of now.people) if (!people.has(person.openid)) people.set(person.openid, person);
  } catch { /* goes on with what is known */ }
}

async function pick(phone) {
  await refresh();
  const list = $('people');
  const search = $('search');
  const fill = () => {
    const wanted = search.value.trim().toLowerCase();
    const groups = [...new Set([...phone.kind.groups, ...Object.keys(groupNames), ...[...people.values()].map(p => p.group)])];
    const found = [...people.values()]
      .filter(p => [p.name, p.role, p.home, groupNames[p.group]].some(s => s?.toLowerCase().includes(wanted)))
      .sort((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group));
    let group;
    list.replaceChildren();
    for (const person of found) {
      if (person.group !== group) {
        group = person.group;
        list.append(el('h3', { text: groupNames[group] ?? group ?? '' }));
      }
      list.append(el('button', { type: 'button', className: 'person', 'data-openid': person.openid, on: {
        click: () => { $('picker').close(); phone.hold(person.openid); phone.input.focus(); },
      } }, avatar(person.name), el('span', { className: 'name', text: person.name }),
      el('span', { className: 'role', text: [person.role, person.home].filter(Boolean).join(' · ') }), badge(person.openid)));
    }
    if (found.length === 0) list.append(el('p', { text: '没有找到' }));
  };
  search.value = '';
  search.oninput = fill;
  search.onkeydown = event => {
    if (event.key === 'Enter' && !event.isComposing) { event.preventDefault(); list.querySelector('.person')?.click(); }
  };
  fill();
  $('picker').showModal();
  search.focus();
}

async function begin() {
  world = await fetchJSON('/sim/people');
  document.title = `${world.account} · 三部手机`;
  $('account').textContent = world.account;
  $('server').textContent = world.server ? `服务：${world.server}` : '';
  for (const person of world.people ?? []) people.set(person.openid, person);

  const held = stored('wechatsim.held', {});
  for (const [index, kind] of kinds.entries()) {
    const phone = new Phone(kind, index);
    phones.push(phone);
    phone.find('.title').textContent = world.account;
    $('tabs').append(el('button', { type: 'button', text: kind.label, on: { click: () => show(index) } }));
  }
  const taken = new Set();
  for (const phone of phones) {
    const all = [...people.values()];
    const person = people.get(held[phone.index])
      ?? all.find(p => phone.kind.groups.includes(p.group)) ?? all.find(p => !taken.has(p.openid)) ?? all[0];
    if (!person) continue;
    taken.add(person.openid);
    phone.hold(person.openid);
  }
  show(0);
  for (const person of people.values()) {
    if (seen[person.openid] === undefined) remember(person.openid, person.last_out);
    else if (person.last_out > seen[person.openid] && !onDisplay(person.openid)) countMissed(person.openid);
  }
  listen(world.last_id);
}

async function countMissed(openid) {
  const entries = await fetchJSON(`/sim/transcript?openid=${encodeURIComponent(openid)}&after=${seen[openid]}`);
  unread.set(openid, entries.filter(e => e.dir === 'out' && e.id <= world.last_id).length + (unread.get(openid) ?? 0));
  showNews();
}

function listen(after) {
  const stream = new EventSource(`/sim/events?after=${after}`);
  stream.onmessage = event => arrive(JSON.parse(event.data));
  stream.addEventListener('menu', event => {
    world.menu = JSON.parse(event.data);
    phones.forEach(phone => phone.showMenu());
  });
  stream.onopen = () => { $('offline').hidden = true; document.body.dataset.live = 'yes'; };
  stream.onerror = () => { $('offline').hidden = false; };
}

narrow.addEventListener('change', () => show(active));
begin().catch(() => { $('offline').textContent = '页面没有准备好，请刷新再试'; $('offline').hidden = false; });
