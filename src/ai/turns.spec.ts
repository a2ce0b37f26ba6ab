import { setTimeout as sleep } from 'node:timers/promises';
import { Turns } from './turns';

describe(Turns.name, () => {
  it('runs work of one key in its order, also after a failure, and that of others beside it', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const work = (name: string, ms: number) => async (): Promise<string> => {
      log.push(`${name} begins`);
      await sleep(ms);
      log.push(`${name} ends`);
      if (name === 'a') throw new Error('a failed');
      return name;
    };

    const results = await Promise.allSettled([turns.take(1, work('a', 30)), turns.take(1, work('b', 1)), turns.take(2, work('c', 1))]);

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(log.indexOf('a ends')).toBeLessThan(log.indexOf('b begins'));
    expect(log.indexOf('c ends')).toBeLessThan(log.indexOf('a ends'));
  });
});
