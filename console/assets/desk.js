// What the pages do beside htmx: they follow changes, keep what somebody is
// writing, and show photos before they are sent. No page needs it to work.
(() => {
  'use strict';

  // The answer to a form has the form's address, which only takes forms: it gets that
  // of the page on which the form stands, for going back, reading anew and following.
  if (document.body.dataset.address) history.replaceState(history.state, '', document.body.dataset.address);

  // Something changed: whoever listens to "live" on the page reads itself anew, about
  // once a second at most and so that it shows within one, but never under the hands of somebody who is writing there:
  // they are told, and press when they like. What they wrote and opened stays.
  const least = 900;
  const live = selector => [...document.querySelectorAll('[hx-trigger*="live"] ' + selector)];
  const typed = field => field.type === 'file' ? field.files.length > 0
    : field.type === 'checkbox' || field.type === 'radio' ? field.checked !== field.defaultChecked
    : field.matches('select') ? field.selectedIndex !== Math.max([...field.options].findIndex(o => o.defaultSelected), 0)
    : field.type !== 'hidden' && field.value !== field.defaultValue;
  const fields = () => live('input').concat(live('textarea'), live('select'));
  const writing = () => document.activeElement?.matches('[hx-trigger*="live"] :is(input, textarea, select)') ||
    live('form[data-refused]').length || fields().some(typed);

  const newer = document.getElementById('newer');
  let last = -least, reads = 0, timer = 0, pending = false, pressed = false;
  const refresh = () => {
    timer ||= setTimeout(() => { timer = 0; read(); }, Math.max(0, last + least - performance.now()));
  };
  const read = () => {
    if (!document.querySelector('[hx-trigger*="live"]')) return;
    if (asked) { again = true; return; } // what is on its way may be older than the change
    if (!pressed && writing()) { hold(); return; }
    pending = false;
    newer.hidden = true;
    if (reads++) last = performance.now(); // the first makes up for what happened while the page came
    htmx.trigger(document.body, 'live');
  };
  let asked = 0, again = false;
  const asks = e => e.detail.requestConfig.elt.matches('[hx-trigger*="live"]');
  document.addEventListener('htmx:beforeRequest', e => { if (asks(e)) asked++; });
  document.addEventListener('htmx:afterRequest', e => {
    if (asks(e) && --asked === 0 && again) { again = false; refresh(); }
  });
  const hold = () => { pending = true; newer.hidden = false; };
  newer?.addEventListener('click', () => { pressed = true; read(); });
  document.addEventListener('focusout', () => { if (pending) setTimeout(() => { if (pending && !writing()) refresh(); }, 300); });

  // The names under which fields and what is folded open are found again.
  const nameOf = e => [e.form?.getAttribute('action'), e.name, e.type === 'radio' || e.type === 'checkbox' ? e.value : ''].join(' ');
  const foldOf = d => d.id || d.querySelector('form')?.getAttribute('action') || d.querySelector('summary').textContent.replace(/\d+/g, '');
  let kept;
  document.addEventListener('htmx:beforeSwap', e => {
    if (!e.target.matches('[hx-trigger*="live"]')) return;
    if (!pressed && writing()) { e.detail.shouldSwap = false; hold(); return; } // somebody began to write while it was asked for
    pressed = false;
    const at = document.activeElement;
    kept = {
      open: live('details[open]').map(foldOf), shut: live('details:not([open])').map(foldOf), fields: fields().filter(typed),
      at: at.matches('[hx-trigger*="live"] summary') ? foldOf(at.parentElement) : null, caret: at.selectionStart, field: at.name && at.form ? nameOf(at) : null,
    };
  });
  document.addEventListener('htmx:afterSwap', () => {
    if (!kept) return;
    const {open, shut, fields: were, at, caret, field} = kept;
    kept = null;
    for (const d of live('details')) {
      if (open.includes(foldOf(d))) d.open = true; else if (shut.includes(foldOf(d))) d.open = false;
      if (at === foldOf(d)) d.querySelector('summary').focus({preventScroll: true});
    }
    const now = new Map(fields().map(f => [nameOf(f), f]));
    for (const old of were) {
      const f = now.get(nameOf(old));
      if (!f) continue;
      if (old.type === 'file') { f.files = old.files; f.dispatchEvent(new Event('change', {bubbles: true})); } // shown by their names
      else if (old.matches('[type=checkbox], [type=radio]')) f.checked = old.checked;
      else f.value = old.value;
    }
    const f = field && now.get(field);
    if (f) { f.focus({preventScroll: true}); if (caret !== null && f.setSelectionRange && f.matches('textarea')) f.setSelectionRange(caret, caret); }
  });

  const address = document.body.dataset.live;
  if (address && window.EventSource) {
    let source, wait = 1000;
    const listen = () => {
      source = new EventSource(address);
      source.addEventListener('changed', refresh);
      source.addEventListener('open', () => {
        if (wait > 1000) refresh(); // what happened meanwhile
        wait = 1000;
        document.body.dataset.following = 'yes';
      });
      source.addEventListener('error', () => {
        document.body.dataset.following = 'no';
        source.close();
        setTimeout(listen, wait);
        wait = Math.min(wait * 2, 30000);
      });
    };
    listen();
    window.addEventListener('pagehide', () => source.close());
    window.addEventListener('pageshow', e => { if (e.persisted) { listen(); refresh(); } });
  }

  // Who goes back to a page finds its forms under the names that they had: what was
  // sent from there already is not done twice.
  const rename = () => {
    const names = [...document.querySelectorAll('input[name=once]')];
    if (!names.length) return;
    if (!history.state?.once) history.replaceState({...history.state, once: names[0].value}, '');
    names.forEach(field => { field.value = history.state.once; });
  };
  rename();
  document.addEventListener('htmx:load', rename);

  // A button that was pressed is not pressed twice.
  document.addEventListener('submit', e => {
    const form = e.target;
    if (form.dataset.sent) { e.preventDefault(); return; }
    if (form.method === 'post') {
      form.dataset.sent = 'yes';
      setTimeout(() => delete form.dataset.sent, 4000);
    }
  });

  // Photos that were chosen are shown before they leave.
  document.addEventListener('change', e => {
    if (!e.target.matches('input[type=file]')) return;
    const shown = e.target.closest('.photos-add')?.querySelector('.chosen');
    if (shown) shown.textContent = [...e.target.files].map(f => f.name).join('、');
  });

  // A form of one choice sends itself when the choice is made.
  document.addEventListener('change', e => {
    if (e.target.matches('[data-submit]')) e.target.form.requestSubmit();
  });

  document.addEventListener('click', e => {
    if (e.target.closest('[data-print]')) window.print();
  });
})();
