import { readOperations, type Operation } from '../../support/openapi-operations';
import { Caller } from '../../support/caller';
import { ApiProcess } from '../api-process';
import { listFieldCases, buildInput } from './field-cases';
import { Findings, type Finding } from './findings';
import { RequestGenerator } from './request-generator';
import { Sender, type Input } from './sender';
import { isAdminRoute, ResponseChecks, type ContractDocument } from './response-checks';
import { IDENTITIES, Fixtures, type Identity } from './fixtures';

/** Sizes of the scenario. */
export interface AdversarialOptions {
  readonly seed: number;
  /** Sends one of this number of field × value cases; 1 sends all of them. */
  readonly oneCaseOf: number;
  /** Generated inputs for each operation and identity. */
  readonly inputs: number;
  /** Limits the run to matching operations, to reproduce a finding: `POST /v1/jobs`. */
  readonly only?: RegExp;
}

/** The result of a run. */
export interface AdversarialResult {
  readonly operations: number;
  readonly fieldCases: number;
  readonly generated: number;
  /** Responses by identity and status. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly findings: readonly Finding[];
  /** The longest event-loop delay of the API, and the request meanwhile. */
  readonly worstLoopDelay: { readonly ms: number; readonly operation: string };
}

const CONNECTIONS = 6;

/** A 503 is a fault here, so a busy machine must not cause one. */
const LONG_TIMEOUTS = { DATABASE_CONNECT_TIMEOUT_MS: '60000', DATABASE_STATEMENT_TIMEOUT_MS: '60000' };

/** Erases the account that sends it. */
const EXCLUDED = 'POST /v1/users/me/erase';

/** A success may end the identity's session. */
const ENDS_SESSION = /^\/v1\/auth\/(logout|sessions|password)/;

/**
 * Sends every operation of the contract what a hostile or careless client may send: each field, parameter and header
 * with each hostile value, and generated requests as a user, as an admin and without a session. Checks each response
 * against the contract.
 */
export async function stressAdversarial(options: AdversarialOptions): Promise<AdversarialResult> {
  const api = await ApiProcess.start({ settings: LONG_TIMEOUTS });
  try {
    const all = (await readOperations(api.url)).filter((operation) => formatOperation(operation) !== EXCLUDED);
    const operations = options.only ? all.filter((operation) => options.only?.test(formatOperation(operation))) : all;
    const { body: document } = await new Caller(api.url).get<ContractDocument>('/docs-json');
    const run = new AdversarialRun(api, await Fixtures.create(api, all), new Findings(new ResponseChecks(document)));
    for (const [index, operation] of operations.entries()) await run.testOperation(operation, index, options);
    return { operations: operations.length, ...run.result() };
  } finally {
    await api.stop();
  }
}

/** Returns the result. @throws Error with the findings, if any */
export function assertNoFindings(result: AdversarialResult): AdversarialResult {
  if (result.findings.length > 0) throw new Error(JSON.stringify(result, null, 1));
  return result;
}

function formatOperation({ method, path }: Operation): string {
  return `${method} ${path}`;
}

class AdversarialRun {
  private readonly sender: Sender;
  private readonly sent = { fieldCases: 0, generated: 0 };
  private worst = { ms: 0, operation: '' };

  constructor(
    private readonly api: ApiProcess,
    private readonly fixtures: Fixtures,
    private readonly findings: Findings,
  ) {
    this.sender = new Sender(api.port, CONNECTIONS);
  }

  /** Sends all requests of an operation. */
  async testOperation(
    operation: Operation,
    index: number,
    { seed, oneCaseOf, inputs }: AdversarialOptions,
  ): Promise<void> {
    const owner = isAdminRoute(operation) ? 'admin' : 'user';
    // Each operation begins at another value, so that a small run sends every value to some operation.
    const cases = listFieldCases(operation).filter((_, i) => (i + index) % oneCaseOf === 0);
    for (const identity of IDENTITIES) {
      await this.fixtures.prepare(operation, identity);
      if (identity === owner)
        await this.batch(operation, identity, cases.length, (i) => buildInput(cases[i]!, this.fixtures, identity));
      const generator = new RequestGenerator(seed, operation, identity, this.fixtures);
      await this.batch(operation, identity, inputs, () => generator.next());
    }
    this.sent.fieldCases += cases.length;
    this.sent.generated += inputs * IDENTITIES.length;
    const ms = await this.api.readLoopDelayMs();
    if (ms > this.worst.ms) this.worst = { ms, operation: formatOperation(operation) };
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
    this.findings.add(operation, identity, input, reply);
    if (this.api.hasEnded)
      throw new Error(
        `The API ended: ${JSON.stringify({ ...input, body: input.body?.slice(0, 500) })}\n` +
          this.api.log.slice(-5_000),
      );
    if (reply && reply.status < 300 && ENDS_SESSION.test(operation.path)) await this.fixtures.signIn(identity);
    if (reply?.status === 401) this.fixtures.markUncertain(identity);
  }
}
