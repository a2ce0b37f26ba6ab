/** Returns a cron of the usual forms in words, any other as it is. */
export function cronText(cron: string): string {
  const seconds = /^\*\/(\d+) \* \* \* \* \*$/.exec(cron)?.[1];
  if (seconds) return `every ${seconds} seconds`;
  const [minute = '', hour = '', day = '', month = '', weekday = '', ...more] = cron.split(' ');
  if (more.length > 0 || month !== '*' || weekday !== '*') return cron;
  if (minute === '*' && hour === '*' && day === '*') return 'every minute';
  const every = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (every && hour === '*' && day === '*') return `every ${every} minutes`;
  if (!/^\d+$/.test(minute)) return cron;
  const mm = minute.padStart(2, '0');
  const hours = /^\*\/(\d+)$/.exec(hour)?.[1];
  if (hours && day === '*') return `every ${hours} hours, at minute ${mm}`;
  if (hour === '*' && day === '*') return `hourly, at minute ${mm}`;
  if (/^\d+$/.test(hour) && day === '*') return `daily at ${hour.padStart(2, '0')}:${mm}`;
  return cron;
}
