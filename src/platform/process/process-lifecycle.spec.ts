import { EventEmitter, once } from 'node:events';
import { createLogger } from '../logging/logger';
import { ProcessLifecycle, type Closable, type HostProcess } from './process-lifecycle';

/** A fake of Node's process: the test emits events, and an exit becomes an event. */
class FakeProcess extends EventEmitter {
  readonly exit = ((code: number) => this.emit('exited', code)) as HostProcess['exit'];
}

describe(ProcessLifecycle.name, () => {
  let host: FakeProcess;
  let lines: string[];
  let events: string[];

  beforeEach(() => {
    host = new FakeProcess();
    lines = [];
    events = [];
  });

  function lifecycle(endLimitMs?: number): ProcessLifecycle {
    const logger = createLogger('fatal', { write: (line) => void lines.push(line) });
    return new ProcessLifecycle(host as unknown as HostProcess, logger, endLimitMs);
  }

  /** Creates an application whose close is recorded and lasts until the test finishes it. */
  function createApp(): Closable & { finish: () => void } {
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    return { finish, close: () => (events.push('close'), finished) };
  }

  const onEnding = (): void => void events.push('not ready');

  it.each(['unhandledRejection', 'uncaughtException'])(
    'logs an %s with its stack, drains, and exits with 1',
    async (event) => {
      const app = createApp();
      lifecycle().manage(app, { onEnding, delayMs: 3_600_000 });
      const exited = once(host, 'exited');

      host.emit(event, new Error('planted'));
      expect(events).toEqual(['not ready', 'close']);
      app.finish();

      expect(await exited).toEqual([1]);
      expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
        expect.objectContaining({
          level: 'fatal',
          event,
          msg: 'planted',
          stack: expect.stringContaining('process-lifecycle.spec'),
        }),
      ]);
    },
  );

  it('logs a second fault while it drains, and closes once', async () => {
    const app = createApp();
    lifecycle().manage(app, { onEnding });
    const exited = once(host, 'exited');

    host.emit('unhandledRejection', 'a text');
    host.emit('uncaughtException', new Error('second'));
    host.emit('SIGTERM');
    app.finish();

    expect(await exited).toEqual([1]);
    expect(events).toEqual(['not ready', 'close']);
    expect(lines).toHaveLength(2);
  });

  it('exits at the limit when the drain does not finish', async () => {
    lifecycle(1).manage(createApp());
    const exited = once(host, 'exited');

    host.emit('SIGTERM');

    expect(await exited).toEqual([1]);
  });

  it('exits with 0 after a signal, and with 1 when a fault follows during the drain', async () => {
    const [calm, troubled] = [createApp(), createApp()];
    lifecycle().manage(calm, { onEnding });
    const first = once(host, 'exited');
    host.emit('SIGTERM');
    calm.finish();
    expect(await first).toEqual([0]);

    host = new FakeProcess();
    lifecycle().manage(troubled);
    const second = once(host, 'exited');
    host.emit('SIGTERM');
    host.emit('unhandledRejection', new Error('late'));
    troubled.finish();
    expect(await second).toEqual([1]);
  });

  it('is not ready at once after a signal, and stays open for the delay', async () => {
    const app = createApp();
    app.finish();
    jest.useFakeTimers();
    lifecycle().manage(app, { onEnding, delayMs: 20_000 });
    const exited = once(host, 'exited');

    host.emit('SIGTERM');
    await jest.advanceTimersByTimeAsync(19_999);
    expect(events).toEqual(['not ready']);
    await jest.advanceTimersByTimeAsync(1);
    jest.useRealTimers();

    expect(await exited).toEqual([0]);
    expect(events).toEqual(['not ready', 'close']);
  });

  it('exits at once before there is an application, and when its close fails', async () => {
    lifecycle();
    const first = once(host, 'exited');
    host.emit('unhandledRejection', new Error('early'));
    expect(await first).toEqual([1]);

    host = new FakeProcess();
    lifecycle().manage({ close: () => Promise.reject(new Error('not closable')) });
    const second = once(host, 'exited');
    host.emit('SIGTERM');
    expect(await second).toEqual([1]);
    expect(lines.join()).toContain('not closable');
  });
});
