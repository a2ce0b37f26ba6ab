import type { SealDto } from '../../src/audit/seals/audit-seals.dto';
import type { WitnessDto } from '../../src/audit/witnesses/witness.dto';
import type { Page } from '../../src/platform/http/pagination/page.dto';
import { createSignedInCaller } from '../support/accounts';
import { countSignatures, createNoteKey, LOG_KEY, type NoteKey, WITNESS_KEY } from '../support/c2sp-notes';
import { startApp, type TestApp } from '../support/test-app';
import { createManualWorker, type ManualWorker } from '../support/test-worker';

interface Installation {
  readonly app: TestApp;
  readonly worker: ManualWorker;
  readonly logKey: NoteKey;
  readonly witnessKey: NoteKey;
}

/** Two installations with an API and a worker each, which witness each other. */
describe('two installations that witness each other', () => {
  let left: Installation;
  let right: Installation;

  beforeAll(async () => {
    const names = ['left', 'right'];
    const keys = names.map((name, i) => ({
      log: createNoteKey(`${name}.example.org/audit`, LOG_KEY, Buffer.alloc(32, 1 + i)),
      witness: createNoteKey(`${name}.example.org/witness`, WITNESS_KEY, Buffer.alloc(32, 11 + i)),
    }));
    const apps: TestApp[] = [];
    for (const [i, name] of names.entries()) {
      const settings = {
        PUBLIC_URL: `http://${name}.example.org`,
        AUDIT_WITNESS_KEYS: Buffer.alloc(32, 11 + i).toString('base64'),
        AUDIT_WITNESSED_LOGS: keys[1 - i]!.log.text,
      };
      apps.push(await startApp({ settings }));
    }
    const create = async (i: number): Promise<Installation> => {
      const app = apps[i]!;
      const other = `${keys[1 - i]!.witness.text} ${apps[1 - i]!.url}/v1/audit/witness`;
      const settings = {
        ...app.settings,
        PUBLIC_URL: `http://${names[i]}.example.org`,
        AUDIT_SIGNING_KEY: Buffer.alloc(32, 1 + i).toString('base64'),
        AUDIT_WITNESSES: other,
      };
      const worker = await createManualWorker({ ...app, settings });
      return { app, worker, logKey: keys[i]!.log, witnessKey: keys[i]!.witness };
    };
    [left, right] = [await create(0), await create(1)];
  });
  afterAll(async () => {
    for (const { worker, app } of [left, right]) {
      await worker.close();
      await app.close();
    }
  });

  /** Seals all rows and gets the head cosigned, as the worker does each minute. */
  async function sealAndWitness({ worker }: Installation): Promise<void> {
    await worker.runTask('seal-audit-logs');
    await worker.runTask('witness-audit-head');
  }

  async function readTreeSize({ app }: Installation): Promise<number> {
    const [row] = await app.db.query<{ size: number }>('superuser', 'SELECT max(tree_size) AS size FROM audit.seals');
    return row!.size;
  }

  async function cosignEachOther(): Promise<void> {
    for (const [own, other] of [
      [left, right],
      [right, left],
    ] as const) {
      const admin = await createSignedInCaller(own.app, { role: 'admin' });
      await sealAndWitness(own);
      await createSignedInCaller(own.app);
      await own.worker.runTask('seal-audit-logs');
      await createSignedInCaller(own.app);
      await sealAndWitness(own);

      const { body: seals } = await admin.get<Page<SealDto>>('/v1/admin/audit/seals');
      expect(seals.items.map(({ witnesses }) => witnesses)).toEqual([1, 0, 1]);
      for (const { checkpoint, witnesses } of seals.items) {
        expect(countSignatures(checkpoint, own.logKey)).toBe(1);
        expect(countSignatures(checkpoint, other.witnessKey)).toBe(witnesses);
      }
      const reader = await createSignedInCaller(other.app, { role: 'admin' });
      const { body: witness } = await reader.get<WitnessDto>('/v1/admin/audit/witness');
      expect(witness.verifierKeys).toEqual([other.witnessKey.text]);
      expect(witness.logs).toMatchObject([{ origin: own.logKey.name, treeSize: await readTreeSize(own) }]);
      await own.worker.runTask('verify-audit-logs');
    }
  }

  it('cosign the heads, and find that an attacker with the worker has replaced the last seals', async () => {
    await cosignEachOther();
    await sealAndWitness(left);
    const kept = await readTreeSize(left);
    const attacker = await createSignedInCaller(left.app);
    await sealAndWitness(left);
    const size = await readTreeSize(left);

    const { db } = left.app;
    await db.query('superuser', `DELETE FROM audit_logs WHERE user_id = $1`, [attacker.id]);
    await db.query('superuser', `DELETE FROM audit.seals WHERE tree_size > $1`, [kept]);
    await db.query('superuser', `DELETE FROM audit.cosignatures WHERE tree_size > $1`, [kept]);
    while ((await readTreeSize(left)) <= size) {
      await createSignedInCaller(left.app);
      await left.worker.runTask('seal-audit-logs');
    }

    // Nothing in the database shows it.
    await left.worker.runTask('verify-audit-logs');
    const message = `right.example.org/witness: the log was rewritten before its entry ${size}`;
    await expect(left.worker.runTask('witness-audit-head')).rejects.toThrow('see its error in task_runs');
    const sql = `SELECT failed_attempts::text AS errors FROM task_runs WHERE task = $1 ORDER BY id DESC LIMIT 1`;
    const [run] = await db.query<{ errors: string }>('superuser', sql, ['witness-audit-head']);
    expect(run!.errors).toContain(message);
  });
});
