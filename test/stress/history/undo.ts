import { randomUUID } from 'node:crypto';
import { Caller } from '../../support/caller';
import { Random } from '../adversarial/random';
import { ApiProcess } from '../api-process';
import { type Conflict, findFalseConflict } from './conflicts';
import { type Actor, addDependents, sendRandomRequest } from './random-requests';
import { compareStates, readState, revert, type StateDifference, type UserState } from './user-state';

/** Sizes of the scenario. */
export interface UndoOptions {
  readonly users: number;
  /** Undoes of all users together. */
  readonly undoes: number;
  /** Rows of the import that is undone at the end. */
  readonly importRows: number;
}

/** The result. `findings` must be empty. */
export interface UndoResult {
  readonly undone: number;
  readonly refused: number;
  /** Undoes of requests that had changed nothing. */
  readonly empty: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** Violated guarantees, with their user and request. */
  readonly findings: readonly string[];
  /** Time of the undo of the import, and of the undo of this undo. */
  readonly importUndoMs: number;
  readonly importRedoMs: number;
}

interface SentRequest {
  readonly id: string;
  readonly kind: string;
  readonly difference: StateDifference;
}

interface Tally {
  undone: number;
  refused: number;
  empty: number;
  readonly reasons: Record<string, number>;
  readonly findings: string[];
}

/**
 * Several users send random requests in parallel and undo random ones, also undoes. The model is the state before and
 * after each request, read past the API. An undo must leave exactly the state with the request's rows as before it, or
 * refuse with true conflicts and change nothing. At the end an import is undone, and this undo too.
 */
export async function stressUndo({ users, undoes, importRows }: UndoOptions): Promise<UndoResult> {
  const api = await ApiProcess.start({});
  const tally: Tally = { undone: 0, refused: 0, empty: 0, reasons: {}, findings: [] };
  try {
    const actors = await Promise.all(Array.from({ length: users }, (_, n) => createActor(api, n)));
    await Promise.all(actors.map((actor) => undoRandomRequests(actor, Math.ceil(undoes / users), tally)));
    return { ...tally, ...(await undoImport(await createActor(api, users), importRows, tally)) };
  } finally {
    await api.stop();
  }
}

/** Rejects a result with a violated guarantee, or without an undo or a refusal. @throws Error with the result */
export function assertUndone(result: UndoResult): UndoResult {
  if (result.findings.length > 0 || result.undone === 0 || result.refused === 0)
    throw new Error(JSON.stringify(result, null, 2));
  return result;
}

async function createActor(api: ApiProcess, n: number): Promise<Actor> {
  const account = await api.createAccount();
  return {
    api,
    id: account.id,
    caller: new Caller(api.url, await account.signIn()),
    random: new Random(`undo ${n}`),
  };
}

async function undoRandomRequests(actor: Actor, count: number, tally: Tally): Promise<void> {
  const { random } = actor;
  const sent: SentRequest[] = [];
  for (let n = 0; n < count; n += 1) {
    do {
      if (random.isChance(0.2)) await addDependents(actor);
      const before = await readState(actor.api, actor.id);
      const id = randomUUID();
      const kind = await sendRandomRequest(actor, id);
      sent.push({ id, kind, difference: compareStates(before, await readState(actor.api, actor.id)) });
    } while (random.isChance(0.5));
    // Mostly one of the newest: older ones are refused.
    const wanted = sent[Math.max(0, sent.length - 1 - random.int(random.isChance(0.7) ? 2 : 30))]!;
    const undone = await undoOne(actor, wanted, tally);
    if (undone) sent.push(undone);
  }
}

/** Undoes a request and checks the effect. Returns the undo as a request that can be undone. */
async function undoOne(actor: Actor, request: SentRequest, tally: Tally): Promise<SentRequest | undefined> {
  const id = randomUUID();
  const before = await readState(actor.api, actor.id);
  const { status, body } = await actor.caller.post(`/v1/audit/requests/${request.id}/undo`, undefined, {
    'x-request-id': id,
  });
  const after = await readState(actor.api, actor.id);
  const report = (what: string) =>
    tally.findings.push(`user ${actor.id}, ${request.kind} ${request.id}: ${what} ${JSON.stringify(body)}`);
  const [audited] = await actor.api.query<{ count: string }>('SELECT count(*) FROM audit_logs WHERE request_id = $1', [
    id,
  ]);
  if (status === 200) {
    tally.undone += 1;
    if (!isEqual(after, revert(before, request.difference))) report('not the state before');
    const difference = compareStates(before, after);
    if (Number(audited!.count) < difference.size) report('a change without an audit row');
    return { id, kind: `undo of ${request.kind}`, difference };
  }
  if (!isEqual(after, before) || audited!.count !== '0') report('refused, but half undone');
  if (status === 404 && request.difference.size === 0) tally.empty += 1;
  else if (status === 409) await checkRefusal(actor, request, body as Refusal, tally, report);
  else report(`answered ${status}`);
  return undefined;
}

interface Refusal {
  readonly code: string;
  readonly conflicts?: readonly Conflict[];
  readonly conflictsTotal?: number;
}

async function checkRefusal(
  actor: Actor,
  request: SentRequest,
  { code, conflicts = [], conflictsTotal = 0 }: Refusal,
  tally: Tally,
  report: (what: string) => void,
): Promise<void> {
  tally.refused += 1;
  if (code !== 'audit.undo_refused' || conflicts.length === 0 || conflictsTotal < conflicts.length)
    report('refused without a conflict');
  for (const conflict of conflicts) {
    tally.reasons[conflict.reason] = (tally.reasons[conflict.reason] ?? 0) + 1;
    const wrong = await findFalseConflict(actor.api, actor.id, request.id, conflict);
    if (wrong !== undefined) report(`a false conflict: ${wrong}`);
  }
}

async function undoImport(
  actor: Actor,
  rows: number,
  tally: Tally,
): Promise<{ importUndoMs: number; importRedoMs: number }> {
  const before = await readState(actor.api, actor.id);
  const lines = Array.from({ length: rows }, (_, n) => `Imported ${n},${n},Words of job ${n}`).join('\n');
  const [request, undo] = [randomUUID(), randomUUID()];
  await actor.caller.post('/v1/jobs/import', `title,upwork_job_id,description\n${lines}\n`, {
    'content-type': 'text/csv',
    'x-request-id': request,
  });
  const imported = await readState(actor.api, actor.id);
  const importUndoMs = await timeUndo(actor, request, undo);
  if (!isEqual(await readState(actor.api, actor.id), before)) tally.findings.push('the import was not undone');
  const importRedoMs = await timeUndo(actor, undo, randomUUID());
  if (!isEqual(await readState(actor.api, actor.id), imported)) tally.findings.push('the import did not come back');
  if (imported.size !== rows) tally.findings.push(`${imported.size} rows of ${rows} were imported`);
  return { importUndoMs, importRedoMs };
}

async function timeUndo({ caller }: Actor, requestId: string, undoId: string): Promise<number> {
  const began = performance.now();
  await caller.post(`/v1/audit/requests/${requestId}/undo`, undefined, { 'x-request-id': undoId });
  return Math.round(performance.now() - began);
}

function isEqual(one: UserState, other: UserState): boolean {
  return one.size === other.size && [...one].every(([key, values]) => other.get(key) === values);
}
