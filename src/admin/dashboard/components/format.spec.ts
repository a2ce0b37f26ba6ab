import { describeCron } from './format';

describe(describeCron.name, () => {
  it.each([
    ['* * * * *', 'every minute'],
    ['*/5 * * * *', 'every 5 minutes'],
    ['41 * * * *', 'hourly, at minute 41'],
    ['12 */6 * * *', 'every 6 hours, at minute 12'],
    ['7 3 * * *', 'daily at 03:07'],
    ['0 3 1 * *', '0 3 1 * *'],
    ['0 3 * * 1', '0 3 * * 1'],
    ['*/30 * * * * *', 'every 30 seconds'],
    ['* * * * * *', '* * * * * *'],
    ['1,2 * * * *', '1,2 * * * *'],
  ])('describes %s as %s', (cron, text) => {
    expect(describeCron(cron)).toBe(text);
  });
});
