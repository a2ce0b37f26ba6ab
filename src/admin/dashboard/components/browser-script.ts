/**
 * The dashboard's only script. Every page is whole without it; with it, parts that change are replaced as they do, and
 * times say how far away they are. The server has escaped all markup it sends.
 */
export const BROWSER_SCRIPT = `'use strict';
(() => {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  const away = (seconds) => {
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units[3];
    const text = Math.floor(Math.abs(seconds) / size) + ' ' + unit;
    return Math.abs(seconds) < 1 ? 'now' : seconds > 0 ? 'in ' + text : text + ' ago';
  };
  const tick = () => {
    for (const time of document.querySelectorAll('time[data-relative]')) {
      const text = away((Date.parse(time.dateTime) - Date.now()) / 1000);
      if (!time.title) time.title = time.textContent + ' UTC';
      if (time.textContent !== text) time.textContent = text;
    }
  };
  tick();
  setInterval(tick, 1000);

  const main = document.querySelector('[data-events]');
  const sign = document.getElementById('live');
  if (!main || !sign || !window.EventSource) return;
  const say = (state, text) => { sign.hidden = false; sign.className = 'live ' + state; sign.textContent = text; };
  const replace = (part, markup) => {
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    part.innerHTML = markup;
    if (focused) for (const link of part.querySelectorAll('a')) if (link.getAttribute('href') === focused) { link.focus(); break; }
  };
  const reconnecting = () => say('off', 'Reconnecting …');
  let events, watchdog;
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(reconnecting, 40000);
    say('on', 'Live');
  };
  const over = () => { clearTimeout(watchdog); events.close(); say('off', 'No longer live: load the page again to sign in or to confirm that it is you.'); };
  const again = async () => {
    const answer = await fetch(main.dataset.events.split('?')[0].replace('/events', '/script.js'), { cache: 'no-store' }).catch(() => null);
    if (answer && (answer.status === 401 || answer.status === 403)) over(); else connect();
  };
  const connect = () => {
    events = new EventSource(main.dataset.events);
    events.addEventListener('stale', () => { clearTimeout(watchdog); reconnecting(); });
    events.addEventListener('fresh', alive);
    events.addEventListener('parts', ({ data }) => {
      alive();
      for (const [name, markup] of Object.entries(JSON.parse(data))) {
        const part = document.querySelector('[data-live="' + name + '"]');
        if (part) replace(part, markup);
      }
      tick();
    });
    events.addEventListener('end', over);
    events.addEventListener('error', () => {
      clearTimeout(watchdog);
      reconnecting();
      // A browser tries again by itself after a lost connection, but not after an answer that is no stream.
      if (events.readyState === EventSource.CLOSED) setTimeout(again, 5000);
    });
  };
  connect();
})();
`;
