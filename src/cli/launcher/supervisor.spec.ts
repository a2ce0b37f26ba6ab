import { Supervisor, type Restartable, type RestartPolicy } from './supervisor';

const POLICY: RestartPolicy = { initialDelayMs: 1, maxRestarts: 3, windowMs: 3_600_000 };

/** A service that ends on command and counts its starts. */
class FakeService implements Restartable {
  readonly title = 'The API';
  starts = 0;
  failure: Error | undefined;
  exited!: Promise<string>;
  end!: (how: string) => void;
  started!: Promise<void>;
  private onStart!: () => void;

  constructor() {
    this.renew();
  }

  start(): Promise<void> {
    this.starts += 1;
    const { onStart } = this;
    this.renew();
    onStart();
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }

  readLogTail(): string {
    return 'its last line';
  }

  private renew(): void {
    this.exited = new Promise((resolve) => (this.end = resolve));
    this.started = new Promise((resolve) => (this.onStart = resolve));
  }
}

describe(Supervisor.name, () => {
  let printed: string[];
  let service: FakeService;
  const supervise = (policy = POLICY): Supervisor => {
    const supervisor = new Supervisor((text) => void printed.push(text), policy);
    supervisor.supervise(service);
    return supervisor;
  };

  beforeEach(() => {
    printed = [];
    service = new FakeService();
  });

  async function endAndRestart(): Promise<void> {
    const { started } = service;
    service.end('code 1');
    await started;
  }

  it('restarts a process after pauses that double, then gives up with the end of its log', async () => {
    const supervisor = supervise();
    for (let time = 0; time < 3; time++) await endAndRestart();
    service.end('signal SIGKILL');

    const reason = await supervisor.failed;

    expect(service.starts).toBe(3);
    expect(printed).toEqual(
      ['0.001', '0.002', '0.004'].map((pause) => `The API ended (code 1). It is started again in ${pause} s.`),
    );
    expect(reason).toContain('The API ended (signal SIGKILL), 4 times within 60 minutes.');
    expect(reason).toContain('its last line');
  });

  it('ignores exits before its window', async () => {
    const supervisor = supervise({ ...POLICY, windowMs: 0 });
    for (let time = 0; time < 10; time++) await endAndRestart();
    await supervisor.stop();

    expect(service.starts).toBe(10);
    expect(new Set(printed).size).toBe(1);
  });

  it('counts a failed start as an exit', async () => {
    service.failure = new Error('the port is taken');
    const supervisor = supervise();
    service.end('code 1');

    expect(await supervisor.failed).toContain('it did not start: the port is taken');
    expect(service.starts).toBe(3);
  });

  it('starts nothing once it is stopped, also during a pause', async () => {
    const idle = supervise();
    await idle.stop();
    service.end('signal SIGTERM');

    service = new FakeService();
    const pausing = supervise({ ...POLICY, initialDelayMs: 3_600_000 });
    service.end('code 1');
    while (printed.length === 0) await Promise.resolve();
    await pausing.stop();

    expect(printed).toHaveLength(1);
    expect(service.starts).toBe(0);
  });
});
