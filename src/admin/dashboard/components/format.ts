import type { TaskRunDto } from '../../api/tasks/tasks.dto';

/** Formats a duration. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

/** Returns the duration of a finished run. */
export function getRunDurationMs({ startedAt, endedAt }: Pick<TaskRunDto, 'startedAt' | 'endedAt'>): number | null {
  return startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : null;
}

/** Formats a number of bytes. */
export function formatBytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(value) / Math.log(1_024)));
  return `${(value / 1_024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Describes common cron expressions in words; returns others unchanged. */
export function describeCron(cron: string): string {
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
