import { operationsOf, type Operation } from '../../support/operations';
import { Caller } from '../../support/caller';
import { ApiUnderTest } from '../api-under-test';
import { fieldCases, inputOf } from './exhaustive';
import { Findings, type Finding } from './findings';
import { Generator } from './generated';
import { Sender, type Input } from './send';
import { isAdminRoute, Verdicts, type ContractDocument } from './verdicts';
import { IDENTITIES, World, type Identity } from './world';

/** How much is sent. */
export interface AdversarialOptions {
  readonly seed: number;
  /** One of so many cases of field × value; 1 is all of them. */
  readonly oneCaseOf: number;
  /** Generated inputs per operation and identity. */
  readonly inputs: number;
  /** Only operations such as this one, to reproduce a finding: `POST /v1/jobs`. */
  readonly only?: RegExp;
}

/** What the API answered. */
export interface AdversarialResult {
  readonly operations: number;
  readonly fieldCases: number;
  readonly generated: number;
  /** Answers by identity and status. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly findings: readonly Finding[];
  /** The longest delay of the API's event loop, and what it was asked meanwhile. */
  readonly worstLoopDelay: { readonly ms: number; readonly operation: string };
}

const CONNECTIONS = 6;

/** A 503 is a fault here, so a busy machine must not cause one. */
const PATIENT = { DATABASE_CONNECT_TIMEOUT_MS: '60000', DATABASE_STATEMENT_TIMEOUT_MS: '60000' };

/** Ends the account that sends it. */
const EXCLUDED = 'POST /v1/users/me/erase';

/** A success may end the session of the identity. */
const ENDS_SESSION = /^\/v1\/auth\/(logout|sessions|password)/;

/**
 * Sends every operation of the contract what a hostile or careless client may send: each field, parameter and header
 * with each odd value, and generated requests as a user, as an admin and without a session. Judges each answer by the
 * contract.
 */
export async function proveAdversarial(options: AdversarialOptions): Promise<AdversarialResult> {
  const api = await ApiUnderTest.start({ settings: PATIENT });
  try {
    const all = (await operationsOf(api.url)).filter((operation) => nameOf(operation) !== EXCLUDED);
    const operations = options.only ? all.filter((operation) => options.only?.test(nameOf(operation))) : all;
    const { body: document } = await new Caller(api.url).get<ContractDocument>('/docs-json');
    const run = new Run(api, await World.create(api, all), new Findings(new Verdicts(document)));
    for (const [index, operation] of operations.entries()) await run.operation(operation, index, options);
    return { operations: operations.length, ...run.result() };
  } finally {
    await api.stop();
  }
}

/** Returns the result. @throws Error with the findings, when there are any */
export function assertClean(result: AdversarialResult): AdversarialResult {
  if (result.findings.length > 0) throw new Error(JSON.stringify(result, null, 1));
  return result;
}

function nameOf({ method, path }: Operation): string {
  return `${method} ${path}`;
}

class Run {
  private readonly sender: Sender;
  private readonly sent = { fieldCases: 0, generated: 0 };
  private worst = { ms: 0, operation: '' };

  constructor(
    private readonly api: ApiUnderTest,
    private readonly world: World,
    private readonly findings: Findings,
  ) {
    this.sender = new Sender(api.port, CONNECTIONS);
  }

  /** Sends everything that an operation gets. */
  async operation(operation: Operation, index: number, { seed, oneCaseOf, inputs }: AdversarialOptions): Promise<void> {
    const owner = isAdminRoute(operation) ? 'admin' : 'user';
    // Each operation begins at another value, so that a small run sends every value somewhere.
    const cases = fieldCases(operation).filter((_, i) => (i + index) % oneCaseOf === 0);
    for (const identity of IDENTITIES) {
      await this.world.prepare(operation, identity);
      if (identity === owner)
        await this.batch(operation, identity, cases.length, (i) => inputOf(cases[i]!, this.world, identity));
      const generator = new Generator(seed, operation, identity, this.world);
      await this.batch(operation, identity, inputs, () => generator.next());
    }
    this.sent.fieldCases += cases.length;
    this.sent.generated += inputs * IDENTITIES.length;
    const ms = await this.api.loopDelayMs();
    if (ms > this.worst.ms) this.worst = { ms, operation: nameOf(operation) };
  }

  result(): Omit<AdversarialResult, 'operations'> {
    this.sender.close();
    return { ...this.sent, answers: this.findings.answers, findings: this.findings.list, worstLoopDelay: this.worst };
  }

  private async batch(
    operation: Operation,
    identity: Identity,
    count: number,
    input: (index: number) => Input,
  ): Promise<void> {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) await this.send(operation, identity, input(next++));
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  }

  private async send(operation: Operation, identity: Identity, input: Input): Promise<void> {
    const reply = await this.sender.send(input);
    this.findings.note(operation, identity, input, reply);
    if (this.api.hasEnded)
      throw new Error(
        `The API ended: ${JSON.stringify({ ...input, body: input.body?.slice(0, 500) })}\n${this.api.log}`,
      );
    if (reply && reply.status < 300 && ENDS_SESSION.test(operation.path)) await this.world.signIn(identity);
    if (reply?.status === 401) this.world.doubt(identity);
  }
}
