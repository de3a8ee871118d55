// What the pages do beyond showing: they say what happens, follow a run step by step, and fetch
// their content again when something has changed. Without this script a person reloads.
'use strict';
(() => {
  const live = document.getElementById('live');
  const here = document.body.dataset;
  const shown = Number(here.event || 0); // what the page as it was served knows of
  const words = {apply_start: 'running', start: 'running', progress: 'running', complete: 'done',
    errored: 'failed', waiting: 'queued'};
  const place = new URL(location.href); // without a password: fetch refuses those that have one
  let waiting = null;

  place.username = place.password = place.hash = '';

  // "3 min ago" beside the exact time, which stays as the title.
  const ago = (then) => {
    const past = (Date.now() - then) / 1000, seconds = Math.abs(past);
    const text = seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min`
      : seconds < 129600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
    return past >= 0 ? `${text} ago` : `in ${text}`;
  };
  const tell = () => document.querySelectorAll('time').forEach((time) => {
    time.title = time.dateTime;
    time.textContent = ago(Date.parse(time.dateTime));
  });
  tell();
  setInterval(tell, 5000);

  const say = (text, state) => {
    live.textContent = text;
    live.className = state;
  };

  // Nothing is taken away from somebody who types.
  const isTyping = () => Array.from(document.querySelectorAll('main input'))
    .some((input) => input === document.activeElement || (input.type === 'password' && input.value));
  const whereabouts = (element) => element && element.closest('main')
    && (element.id ? `#${CSS.escape(element.id)}`
      : element.getAttribute('href') ? `main a[href="${CSS.escape(element.getAttribute('href'))}"]` : null);

  // Makes OLD what FRESH is, and leaves alone what is so already: a click that has begun finds what
  // it began on. What the reader or this script has changed is theirs.
  const own = {open: 'DETAILS', title: 'TIME'};
  const become = (old, fresh) => {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh);
    } else if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
    } else if (old.nodeName !== 'INPUT' && old.id !== 'progress') {
      for (const {name} of Array.from(old.attributes))
        if (!fresh.hasAttribute(name) && own[name] !== old.nodeName) old.removeAttribute(name);
      for (const {name, value} of fresh.attributes)
        if (old.getAttribute(name) !== value) old.setAttribute(name, value);
      if (old.nodeName === 'TIME') return;
      const children = Array.from(fresh.childNodes);
      if (children.length === old.childNodes.length)
        Array.from(old.childNodes).forEach((child, i) => become(child, children[i]));
      else old.replaceChildren(...children);
    }
  };

  const refresh = async () => {
    waiting = null;
    if (isTyping()) {
      later(2000);
      return;
    }
    try {
      const answer = await fetch(place);
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const focus = whereabouts(document.activeElement);
      const open = Array.from(document.querySelectorAll('main details[open][id]'), (one) => one.id);

      if (!answer.ok || !fresh.querySelector('main')) return;
      become(document.querySelector('main'), fresh.querySelector('main'));
      document.title = fresh.title;
      open.forEach((id) => document.getElementById(id)?.setAttribute('open', ''));
      if (focus && document.activeElement === document.body) document.querySelector(focus)?.focus();
      tell();
    } catch (error) {
      say('not connected', 'off');
    }
  };
  const later = (wait) => {
    waiting = waiting || setTimeout(refresh, wait);
  };

  const concerns = (what) => !here.deployment
    || (what.deployment === here.deployment && what.repository === here.repository);

  // The steps of the run under way, each in a line that changes with it.
  const follow = (type, what) => {
    const box = document.getElementById('progress');

    if (!box || !concerns(what)) return;
    const list = box.querySelector('ol'), bar = box.querySelector('progress');
    if (type === 'run-began' || type === 'run-ended') {
      list.replaceChildren();
      bar.removeAttribute('value');
      box.hidden = type === 'run-ended';
      return;
    }
    if (type !== 'step') return;
    let line = list.querySelector(`[data-step="${CSS.escape(what.step)}"]`);
    if (!line) {
      line = document.createElement('li');
      line.dataset.step = what.step;
      line.append(document.createElement('span'), document.createElement('span'));
      list.append(line);
    }
    const word = words[what.state] || what.state;
    line.firstChild.className = `word ${word}`;
    line.firstChild.textContent = word;
    line.lastChild.textContent = [what.message, what.error || what.note].filter(Boolean).join(': ');
    line.scrollIntoView({block: 'nearest'});
    box.hidden = false;
    if (what.planned) {
      bar.max = what.planned;
      bar.value = list.querySelectorAll('.done, .failed, .skipped').length;
      box.querySelector('output').textContent = `${bar.value} of ${what.planned} steps`;
    }
  };

  const heard = (event) => {
    let what;

    try {
      what = JSON.parse(event.data);
    } catch (error) {
      return;
    }
    follow(event.type, what);
    if (Number(event.lastEventId) <= shown) return;
    say([event.type.replace('-', ' '), what.deployment, what.result, what.message].filter(Boolean)
      .join(' \u00b7 '), 'on');
    if (event.type !== 'step' && (concerns(what) || here.page === 'runs')) later(600);
  };

  if (!live || !window.EventSource) return;
  const source = new EventSource(`/api/v1/events?after=${document.getElementById('progress') ? 0 : shown}`);
  ['queued', 'run-began', 'step', 'run-ended', 'held', 'drift', 'recovery']
    .forEach((type) => source.addEventListener(type, heard));
  source.addEventListener('open', () => say('live', 'on'));
  source.addEventListener('error', () => say('not connected', 'off'));
})();
