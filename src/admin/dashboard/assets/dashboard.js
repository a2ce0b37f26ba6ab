/*
 * The only script of the dashboard. Every page works without it. It replaces parts of the page as they change and shows
 * relative times. The server has escaped all markup it sends.
 */
'use strict';
(() => {
  const units = [
    ['d', 86400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  const formatRelative = (seconds) => {
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units[3];
    const text = Math.floor(Math.abs(seconds) / size) + ' ' + unit;
    return Math.abs(seconds) < 1 ? 'now' : seconds > 0 ? 'in ' + text : text + ' ago';
  };
  const tick = () => {
    for (const time of document.querySelectorAll('time[data-relative]')) {
      const text = formatRelative((Date.parse(time.dateTime) - Date.now()) / 1000);
      if (!time.title) time.title = time.textContent + ' UTC';
      if (time.textContent !== text) time.textContent = text;
    }
  };
  tick();
  setInterval(tick, 1000);

  const main = document.querySelector('[data-events]');
  const indicator = document.getElementById('live');
  if (!main || !indicator || !window.EventSource) return;
  const showState = (state, text) => {
    indicator.hidden = false;
    indicator.className = 'live ' + state;
    indicator.textContent = text;
  };
  const replace = (part, markup) => {
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    part.innerHTML = markup;
    if (focused) [...part.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
  };
  const reconnecting = () => showState('off', 'Reconnecting …');
  let events, watchdog;
  const showLive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(reconnecting, 40000);
    showState('on', 'Live');
  };
  const stop = () => {
    clearTimeout(watchdog);
    events.close();
    showState('off', 'No longer live. Reload the page to sign in or to confirm your identity.');
  };
  const reconnect = async () => {
    const answer = await fetch(main.dataset.events.split('?')[0].replace('/events', '/script.js'), {
      cache: 'no-store',
    }).catch(() => null);
    if (answer && (answer.status === 401 || answer.status === 403)) stop();
    else connect();
  };
  const connect = () => {
    events = new EventSource(main.dataset.events);
    events.addEventListener('stale', () => {
      clearTimeout(watchdog);
      reconnecting();
    });
    events.addEventListener('fresh', showLive);
    events.addEventListener('parts', ({ data }) => {
      showLive();
      for (const [name, markup] of Object.entries(JSON.parse(data))) {
        const part = document.querySelector('[data-live="' + name + '"]');
        if (part) replace(part, markup);
      }
      tick();
    });
    events.addEventListener('end', stop);
    events.addEventListener('error', () => {
      clearTimeout(watchdog);
      reconnecting();
      // A browser reconnects by itself after a lost connection, but not after an answer that is no stream.
      if (events.readyState === EventSource.CLOSED) setTimeout(reconnect, 5000);
    });
  };
  connect();
})();
