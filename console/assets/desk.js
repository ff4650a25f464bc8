// What the pages do beside htmx: they follow changes, keep what somebody is
// writing, and show photos before they are sent. No page needs it to work.
(() => {
  'use strict';

  // Something changed: whoever listens to "live" on the page reads itself anew,
  // but never under the hands of somebody who is writing there.
  let pending = false;
  const writing = () => {
    const e = document.activeElement;
    if (e && e.closest('[hx-trigger*="live"]') && e.matches('input, textarea, select')) return true;
    const within = selector => [...document.querySelectorAll('[hx-trigger*="live"] ' + selector)];
    return document.querySelector('form[data-refused]') || within('textarea').concat(within('input[type=text]')).some(field => field.value !== field.defaultValue) ||
      within('input[type=file]').some(field => field.files.length > 0) ||
      within('select').some(s => s.selectedIndex !== Math.max([...s.options].findIndex(o => o.defaultSelected), 0)) ||
      within('details[open]:not([data-open])').length > 0; // opened by hand
  };
  const refresh = () => {
    if (writing()) { pending = true; return; }
    pending = false;
    htmx.trigger(document.body, 'live');
  };
  document.addEventListener('htmx:beforeSwap', e => { // somebody began to write while it was asked for
    if (e.target.closest('[hx-trigger*="live"]') && writing()) { e.detail.shouldSwap = false; pending = true; }
  });
  document.addEventListener('focusout', () => { if (pending) setTimeout(refresh, 300); });

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
