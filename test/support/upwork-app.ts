import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { SyncKind } from '../../src/sync/sync-run';
import { UpworkClientService } from '../../src/upwork/upwork-client.service';
import { CircuitBreaker } from '../../src/upwork/circuit-breaker';
import { createSignedInCaller, type SignedInCaller } from './accounts';
import type { Answer } from './caller';
import { startApp, type TestApp } from './test-app';
import { createManualWorker, type ManualWorker } from './test-worker';
import { createUpworkConnection } from './upwork-connections';

/** A user with a connection to the fake Upwork. */
export type ConnectedUser = SignedInCaller & { readonly connectionId: number };

/** The application and a worker of a test, connected to a fake Upwork. */
export interface UpworkApp {
  readonly upwork: FakeUpwork;
  readonly app: TestApp;
  readonly worker: ManualWorker;
  /** Creates a user with a connection. No synchronisation is due before one is requested. */
  connectUser(organizationId?: string): Promise<ConnectedUser>;
  /** Requests a synchronisation, runs it to its end and returns it. The fake serves the cases first. */
  synchronize(user: SignedInCaller, kind: SyncKind, ...cases: string[]): Promise<Answer['body']>;
  /** Removes the connections, and what a test set in the fake. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the application with a fake Upwork that limits no calls and answers whole, unless a test changes that. */
export async function startUpworkApp(settings: Readonly<Record<string, string>> = {}): Promise<UpworkApp> {
  const upwork = await new FakeUpwork().start();
  Object.assign(upwork, { limitPerSecond: 1_000, partialEvery: 0 });
  const app = await startApp({ settings: { ...upwork.settings, UPWORK_REQUESTS_PER_SECOND: '100', ...settings } });
  const worker = await createManualWorker(app);
  for (const process of [app, worker])
    Object.assign(process.get(UpworkClientService), { retryDelaysMs: [1, 1], pauseMs: 1 });
  return {
    ...{ upwork, app, worker },
    connectUser: async (organizationId) => {
      const user = await createSignedInCaller(app);
      const connectionId = await createUpworkConnection(app, upwork, user, { seconds: 3_600, organizationId });
      await app.db.query('superuser', `UPDATE syncs SET next_at = now() + interval '1 day'`);
      upwork.calls.length = 0;
      return Object.assign(user, { connectionId });
    },
    synchronize: async (user, kind, ...cases) => {
      for (const name of cases) upwork.cases.serve(name);
      const { status, body } = await user.post(`/v1/${kind}/sync`);
      expect([status, body.items[0].status]).toEqual([202, 'queued']);
      await worker.runTask('sync-connections');
      return (await user.get(`/v1/syncs/${body.items[0].id}`)).body;
    },
    reset: async () => {
      upwork.cases.clear();
      upwork.faults.clear();
      Object.assign(upwork, { partialEvery: 0, transformResponse: (_: unknown, answer: unknown) => answer });
      upwork.broken.share = 0;
      // The failures of a test must not block the calls of the next one.
      for (const process of [app, worker]) process.get(CircuitBreaker).recordSuccess(0);
      await app.db.query('superuser', 'DELETE FROM user_tokens');
    },
    close: async () => {
      await worker.close();
      await app.close();
      await upwork.stop();
    },
  };
}
