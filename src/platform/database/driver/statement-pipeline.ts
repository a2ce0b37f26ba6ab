import { type Connection, type FieldDef, type PoolClient, type QueryResultRow, type Submittable } from 'pg';
import { prepareValue } from 'pg/lib/utils.js';
import { findRowDecoder, type RowDecoder } from './row-decoder';

/** One statement of a pipeline. A named one is parsed and described once per connection. */
export interface PipelinedStatement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The result of one statement. */
export interface StatementResult {
  readonly rows: QueryResultRow[];
  /** PostgreSQL's command tag: `SELECT 1`, `COMMIT`, `ROLLBACK`. */
  command: string;
}

/** The socket of pg's client, missing from its published types. */
interface Driver {
  readonly connection: { readonly stream: { destroy(error: Error): void } };
}

/** Messages of pg's connection, missing from its published types or outdated there. */
interface ProtocolConnection {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { name?: string; text: string }): void;
  describe(message: { type: 'S'; name?: string }): void;
  bind(message: { statement?: string; values: readonly unknown[] }): void;
  execute(): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
  sendCopyFail(reason: string): void;
}

const NO_ROWS = findRowDecoder([]);

/** PostgreSQL did not answer in time and the connection was closed. The last statement may have taken effect. */
export class AnswerTimeoutError extends Error {
  /** postgres-errors.ts maps it to the loss of a connection. */
  readonly code = 'ETIMEDOUT';

  constructor(timeoutMs: number) {
    super(`PostgreSQL did not answer within ${timeoutMs} ms`);
    this.name = AnswerTimeoutError.name;
  }
}

/** The named statements of each connection, with their row decoders. */
const prepared = new WeakMap<Connection, Map<string, RowDecoder>>();

/**
 * Statements sent in one socket write, followed by one Sync. Until that Sync they are one transaction, with or without
 * BEGIN. When one fails, PostgreSQL skips the rest, so no statement runs without the ones before it. A known named
 * statement is not parsed or described again, which would be most of a short read's cost.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class StatementPipeline implements Submittable {
  private readonly results: StatementResult[] = [];
  private result: StatementResult = { rows: [], command: '' };
  private decoder: RowDecoder | undefined;
  private preparedDecoders = new Map<string, RowDecoder>();
  private failure: Error | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Number of messages received. */
  private received = 0;

  private constructor(
    private readonly statements: readonly PipelinedStatement[],
    private readonly completion: { resolve: (results: StatementResult[]) => void; reject: (error: Error) => void },
  ) {}

  /**
   * Sends the statements once the connection is free, and returns their results in order.
   * @param answerTimeoutMs longest wait for the answer of one statement; then the connection is closed
   * @throws the PostgreSQL error of the failed statement or of the implicit commit; AnswerTimeoutError
   */
  static send(
    client: PoolClient,
    statements: readonly PipelinedStatement[],
    answerTimeoutMs: number,
  ): Promise<StatementResult[]> {
    return new Promise((resolve, reject) => {
      const pipeline = new StatementPipeline(statements, { resolve, reject });
      pipeline.timer = setTimeout(() => pipeline.expire(client, answerTimeoutMs), answerTimeoutMs);
      client.query(pipeline);
    });
  }

  /** Called by pg when the connection is free. pg passes a returned error to `handleError`; nothing was sent then. */
  submit = (connection: Connection): Error | null => {
    const wire = connection as unknown as ProtocolConnection;
    let values: unknown[][];
    try {
      values = this.statements.map((statement) => statement.values.map(prepareValue));
    } catch (error) {
      return error as Error;
    }
    this.preparedDecoders = getPreparedDecoders(connection);
    this.decoder = this.findDecoder(0);
    wire.stream.cork();
    this.statements.forEach((statement, i) => this.write(wire, statement, values[i]!));
    wire.sync();
    wire.stream.uncork();
    return null;
  };

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.decoder = findRowDecoder(fields);
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.received += 1;
    if (this.failure) return;
    try {
      this.result.rows.push(this.decoder!(fields));
    } catch (error) {
      this.failure = error as Error;
    }
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.received += 1;
    this.timer?.refresh();
    this.result.command = text;
    const { name } = this.statements[this.results.length]!;
    if (name !== undefined) this.preparedDecoders.set(name, this.decoder ?? NO_ROWS);
    this.results.push(this.result);
    this.result = { rows: [], command: '' };
    this.decoder = this.findDecoder(this.results.length);
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handleCopyInResponse(connection: Connection): void {
    (connection as unknown as ProtocolConnection).sendCopyFail(
      'COPY FROM STDIN is not supported in a statement pipeline',
    );
  }

  handleCopyData(): void {
    this.failure ??= new Error('COPY TO STDOUT is not supported in a statement pipeline');
  }

  handleError(error: Error): void {
    this.stopTimer();
    this.completion.reject(error);
  }

  handleReadyForQuery(): void {
    this.stopTimer();
    if (this.failure) this.completion.reject(this.failure);
    else this.completion.resolve(this.results);
  }

  /** Closes a new name first: an earlier pipeline may have prepared it and then failed in another statement. */
  private write(wire: ProtocolConnection, { name, text }: PipelinedStatement, values: readonly unknown[]): void {
    if (name === undefined || !this.preparedDecoders.has(name)) {
      if (name !== undefined) wire.close({ type: 'S', name });
      wire.parse({ name, text });
      wire.describe({ type: 'S', name });
    }
    wire.bind({ statement: name, values });
    wire.execute();
  }

  /**
   * Closes the connection, unless an answer arrived but was not read yet: a blocked event loop runs timers before it
   * reads sockets. The driver then fails everything that waits for this connection with this error.
   */
  private expire(client: PoolClient, answerTimeoutMs: number): void {
    const { received } = this;
    setImmediate(() => {
      if (this.timer === undefined) return;
      if (this.received > received) this.timer.refresh();
      else (client as unknown as Driver).connection.stream.destroy(new AnswerTimeoutError(answerTimeoutMs));
    });
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private findDecoder(index: number): RowDecoder | undefined {
    const name = this.statements[index]?.name;
    return name === undefined ? undefined : this.preparedDecoders.get(name);
  }
}

function getPreparedDecoders(connection: Connection): Map<string, RowDecoder> {
  let known = prepared.get(connection);
  if (!known) prepared.set(connection, (known = new Map<string, RowDecoder>()));
  return known;
}
