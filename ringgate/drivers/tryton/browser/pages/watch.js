// Runs in the web client before its own scripts. It changes nothing that a user sees: it counts what is under way, so
// that the driver can wait for "nothing left to do" instead of guessing, and it writes field names on the parts of the
// screen that the client leaves anonymous (columns, lists in forms and their buttons), so that no label is needed.
(() => {
  if (window.__ringgate) return;
  const watch = (window.__ringgate = { pending: 0, sent: 0, failures: [], errors: [], log: [], garbled: 0 });
  const timers = new Set();
  let bodies = [];
  let waiting = [];

  const settled = () => watch.pending === 0 && timers.size === 0;
  const later = window.setTimeout.bind(window);
  const check = () => {
    if (!waiting.length || !settled()) return;
    later(() => {  // an answer's handlers may only now start the next request
      if (!settled()) return;
      const ready = waiting;
      waiting = [];
      ready.forEach((resolve) => resolve(true));
    }, 0);
  };

  // Requests, all but the long poll of the notification bus.
  const open = XMLHttpRequest.prototype.open;
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.__url = String(url);
    this.__call = /^post$/i.test(method);
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (/\/bus$/.test(this.__url)) return send.call(this, body);
    const began = performance.now();
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      watch.pending -= 1;
      const failed = this.status === 0 || this.status >= 400;
      if (this.__call && failed) watch.failures.push(this.status);
      const method = /"method":"([^"]*)"/.exec(typeof body === 'string' ? body.slice(0, 500) : '');
      const took = Math.round(performance.now() - began);
      watch.log.push(`${new Date().toISOString()} ${this.status} ${took} ms ${method ? method[1] : this.__url}`);
      if (watch.log.length > 200) watch.log.shift();
      check();
    };
    watch.pending += 1;
    watch.sent += 1;
    // What signs in goes by other methods than these, so no password is kept here.
    if (this.__call && typeof body === 'string' && /"method":"(model|wizard|report)\./.test(body)) bodies.push(body);
    this.addEventListener('loadend', end);
    try {
      return send.call(this, body);
    } catch (error) {  // a request that the client waits for in place throws instead
      end();
      throw error;
    }
  };

  // Short timers are how the client's promises pass results on; long ones (blinking, polling) do not count.
  window.setTimeout = (task, delay, ...rest) => {
    if (typeof task !== 'function' || delay > 20) return later(task, delay, ...rest);
    const id = later(() => {
      try {
        task(...rest);
      } finally {
        timers.delete(id);
        check();
      }
    }, delay);
    timers.add(id);
    return id;
  };
  const clear = window.clearTimeout.bind(window);
  window.clearTimeout = (id) => {
    clear(id);
    if (timers.delete(id)) check();
  };

  window.addEventListener('error', (event) => watch.errors.push(String(event.message || event.error)));
  window.addEventListener('unhandledrejection', (event) => watch.errors.push(String(event.reason)));

  // Resolves to true when the client is at rest, to false after `limit` milliseconds.
  watch.rest = (limit) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      later(() => resolve(false), limit);
      check();
    });

  const name = (element, field) => element && element.attr('data-field', field);
  const after = (type, act) => {
    if (!type) return;
    const init = type.prototype.init;
    type.prototype.init = function (...args) {
      const result = init.apply(this, args);
      act(this);
      return result;
    };
  };
  const prepare = () => {
    if (!window.Sao) return;
    jQuery.fx.off = true;
    jQuery(document).ajaxError((event, request, settings, thrown) => {
      if (request.status === 200 && thrown) watch.garbled += 1;
    });
    // Icons cost a third of a sign-in (a request and a picture for each) and say nothing that is read here.
    const icons = Sao.common && Sao.common.ICONFACTORY;
    if (icons && icons.get_icon_url) icons.get_icon_url = () => jQuery.when('data:,');
    after(Sao.View.Tree, (tree) => {
      tree.table.attr('data-model', tree.screen.model_name);
      tree.columns.forEach((column) => name(column.header, column.attributes.name));
    });
    after(Sao.View.Tree.Row, (row) => (row.el[0].__row = row));
    after(Sao.View.Form.One2Many, (list) => {
      name(list.el, list.attributes.name);
      list.but_new.attr('data-do', 'new');
      list.but_open.attr('data-do', 'open');
      list.but_switch.attr('data-do', 'switch');
    });
    after(Sao.View.Form.Many2Many, (list) => name(list.el, list.attributes.name));
  };
  addEventListener('DOMContentLoaded', () => {
    prepare();
    const still = document.createElement('style');
    still.textContent = '*, *::before, *::after { transition: none !important; animation: none !important; }';
    document.head.append(still);
  });
  addEventListener('load', () => {
    if (window.jQuery) jQuery.support.transition = false;  // dialogs are there at once, not after a fade
  });

  // What stands on the screen, in one answer.
  const shown = (element) => element.getClientRects().length > 0;
  const cell = (row, id) => {
    const td = [...row.children].find((each) => each.headers === id || each.getAttribute('headers') === id);
    const inside = td && td.querySelector('.widget');
    const input = inside && inside.querySelector('input[type=checkbox]');
    return input ? String(input.checked) : inside ? inside.innerText.trim() || inside.textContent.trim() : '';
  };
  const table = (element) => {
    const columns = [...element.querySelectorAll(':scope > thead th[data-field]')];
    return [...element.querySelectorAll(':scope > tbody > tr:not(.more-row)')].map((row) =>
      Object.fromEntries(columns.map((th) => [th.dataset.field, cell(row, th.id)])));
  };
  const numbers = (element) =>
    [...element.querySelectorAll(':scope > tbody > tr:not(.more-row)')].map((row) => (row.__row ? String(row.__row.record.id) : ''));
  const value = (element) => {
    if (element.type === 'checkbox') return String(element.checked);
    if (element.tagName !== 'SELECT') return element.value;
    try {
      const chosen = JSON.parse(element.value);
      return chosen === null ? '' : String(chosen);
    } catch (error) {
      return element.value;
    }
  };
  const label = (element) =>
    element.tagName === 'SELECT' && element.selectedOptions.length ? element.selectedOptions[0].text : '';
  const form = (root) => {
    const fields = {};
    const buttons = {};
    const lists = {};
    const records = {};
    for (const element of root.querySelectorAll('input[name], select[name], textarea[name]')) {
      // A number has two inputs, one to show and one to type in; lists in forms are read apart.
      if (element.type === 'number' || element.closest('.treeview')) continue;
      const twin = [...element.parentElement.children].find((each) => each.type === 'number' && each.name === element.name);
      const seen = shown(element) || Boolean(twin && shown(twin));
      if (!(element.name in fields) || seen)
        fields[element.name] = { text: value(element), label: label(element), shown: seen, fixed: element.readOnly || element.disabled };
    }
    for (const element of root.querySelectorAll('button[name]'))
      if (element.name && !element.closest('.treeview')) buttons[element.name] = shown(element) && !element.disabled;
    for (const element of root.querySelectorAll('.form-one2many[data-field], .form-many2many[data-field]')) {
      const inner = element.querySelector('table.tree');
      lists[element.dataset.field] = inner ? table(inner) : [];
      records[element.dataset.field] = inner ? numbers(inner) : [];
    }
    return { fields, buttons, lists, records };
  };
  const dialog = (modal) => {
    const kind = ['login-dialog', 'ask-dialog', 'user-warning-dialog', 'warning-dialog', 'message-dialog',
      'error-dialog', 'confirmation-dialog', 'wizard-dialog', 'window-form'].find((each) => modal.classList.contains(each));
    const body = (modal.querySelector('.alert') || modal.querySelector('.modal-body') || modal).cloneNode(true);
    body.querySelectorAll('.sr-only, a.btn').forEach((each) => each.remove());
    return {
      kind: kind || 'window',
      text: body.textContent.trim().replace(/\s+/g, ' '),
      password: Boolean(modal.querySelector('input[type=password]')),
    };
  };

  const modals = () => [...document.querySelectorAll('.modal')].filter(shown);
  const front = () => modals().pop();
  watch.look = () => {
    const tab = document.querySelector('#tabcontent > .tab-pane.active');
    const top = front();
    const rows = tab && [...tab.querySelectorAll('table.tree')].filter((each) => !each.closest('.form-one2many, .form-many2many'))[0];
    const user = document.querySelector('#user-preferences a');
    const bar = tab && tab.querySelector('.infobar .alert-danger');
    return {
      hash: location.hash,
      user: user ? user.textContent : '',
      blank: !document.querySelector('#main'),
      dialogs: modals().map(dialog),
      tabs: document.querySelectorAll('#tablist > li').length,
      form: tab ? form(tab) : null,
      rows: rows ? table(rows) : [],
      window: top ? form(top) : null,
      complaint: bar ? bar.innerText.replace(/^\s*×\s*/, '').trim().replace(/\s+/g, ' ') : '',
      sent: watch.sent,
      failures: watch.failures.splice(0),
      errors: watch.errors.splice(0),
      garbled: watch.garbled,
    };
  };

  // The client draws the rest of a list in a form, on 8.0 all of it, once its button "More" comes into view. What is
  // read must not depend on how far the form is scrolled or on which page of it is open: the button is pressed.
  const more = () => document.querySelector(
    ':is(#tabcontent > .tab-pane.active, .modal) :is(.form-one2many, .form-many2many) .more-row button');

  // The one way the driver waits: at rest, then look.
  watch.settle = async (limit) => {
    const end = performance.now() + limit;
    let rest = await watch.rest(limit);
    for (let button = more(); rest && button; button = more()) {
      button.click();
      rest = await watch.rest(Math.max(0, end - performance.now()));
    }
    return { rest, ...watch.look() };
  };

  // Leaving a field is when the client takes its value.
  watch.leave = (limit) => {
    if (document.activeElement) document.activeElement.blur();
    return watch.settle(limit);
  };

  // What the client proposes under the input `field` of the window or tab in front, once it proposes anything.
  watch.proposals = async (field, limit) => {
    const root = front() || document.querySelector('#tabcontent > .tab-pane.active');
    const input = [...root.querySelectorAll('input')].find((each) => each.name === field && shown(each));
    const menu = input && input.closest('.dropdown');
    if (!menu) return [];
    if (!menu.classList.contains('open'))
      await new Promise((resolve) => {
        const observer = new MutationObserver(() => menu.classList.contains('open') && done());
        const done = () => {
          observer.disconnect();
          resolve();
        };
        observer.observe(menu, { attributes: true, attributeFilter: ['class'] });
        later(done, limit);
      });
    await watch.rest(limit);
    return [...menu.querySelectorAll('li.completion')].map((each) => each.innerText.trim());
  };

  // What must never be shown: the tokens of the session and of the remembered device.
  // [method, params] of all calls since the last time, each once; of what was read only the fields, not whose.
  watch.touched = () => {
    const found = new Map();
    for (const body of bodies) {
      const { method, params } = JSON.parse(body);
      const told = /\.read$/.test(method) ? [[], params[1]] : /\.(search|search_read|search_count|create|write)$/.test(method) ? params : [];
      found.set(method + JSON.stringify(told), [method, told]);
    }
    bodies = [];
    return [...found.values()];
  };

  watch.secrets = () => {
    const session = window.Sao && Sao.Session.current_session;
    const devices = JSON.parse(localStorage.getItem('sao_device_cookies') || '{}');
    const tokens = Object.values(devices).flatMap((each) => Object.values(each || {}));
    if (session && session.session) tokens.push(session.session, session.get_auth());
    return tokens.filter((each) => typeof each === 'string');
  };

  // How this user's numbers, dates and durations are written.
  watch.formats = () => {
    const language = Sao.i18n.BC47(Sao.i18n.getlang());
    const parts = new Intl.NumberFormat(language).formatToParts(1234567.8);
    const part = (type) => (parts.find((each) => each.type === type) || { value: '' }).value;
    const context = Sao.Session.current_session.context;
    const units = context.company_work_time || Sao.common.timedelta.DEFAULT_CONVERTER;
    const words = Sao.common.timedelta._get_separator();
    return {
      language,
      decimal: part('decimal'),
      group: part('group'),
      date: Sao.common.date_format(context.date_format),
      seconds: Object.fromEntries(Object.keys(words).filter((key) => units[key]).map((key) => [words[key], units[key]])),
    };
  };

  // As if the address had been pasted: the client's own route opens the tab; `alone` closes the others first.
  watch.go = async (route, alone, limit) => {
    if (alone && Sao.Tab.tabs.length) {
      for (const tab of [...Sao.Tab.tabs]) {
        try {
          tab.close();
        } catch (error) {  // one that never came to be, because its first request failed
          Sao.Tab.tabs.splice(Sao.Tab.tabs.indexOf(tab), 1);
        }
      }
      const found = await watch.settle(limit);
      if (found.tabs || found.dialogs.length) return found;
    }
    Sao.open_url(route);
    return watch.settle(limit);
  };
})();
