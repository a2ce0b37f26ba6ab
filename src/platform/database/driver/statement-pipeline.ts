import { type Connection, type FieldDef, type PoolClient, type QueryResultRow, type Submittable } from 'pg';
import { pgTypes } from './pg-types';
import { prepareValue } from 'pg/lib/utils.js';

/** How the rows of one statement become objects: their columns' names and parsers, found out once a connection. */
export class RowDecoder {
  private readonly names: readonly string[];
  private readonly parsers: readonly ((text: string) => unknown)[];
  /** Copied for each row: objects born with all their keys stay fast. */
  private readonly template: Readonly<Record<string, null>>;

  constructor(fields: readonly Pick<FieldDef, 'name' | 'dataTypeID'>[]) {
    this.names = fields.map(({ name }) => name);
    this.parsers = fields.map(({ dataTypeID }) => pgTypes.getTypeParser(dataTypeID));
    this.template = Object.fromEntries(this.names.map((name) => [name, null]));
  }

  /** The row of these columns' texts. */
  decode(texts: readonly (string | null)[]): Record<string, unknown> {
    const row: Record<string, unknown> = { ...this.template };
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i]!;
      if (text !== null) row[this.names[i]!] = this.parsers[i]!(text);
    }
    return row;
  }
}

/** One statement on its way; with a name it is parsed and described once a connection. */
export interface PipelinedStatement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What one statement answered. */
export interface StatementResult {
  readonly rows: QueryResultRow[];
  /** PostgreSQL's tag: `SELECT 1`, `COMMIT`, `ROLLBACK`. */
  command: string;
}

/** The socket of pg's client, which its published types leave out. */
interface Driver {
  readonly connection: { readonly stream: { destroy(error: Error): void } };
}

/** Messages of pg's connection that its published types leave out or describe for an older version. */
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

const NO_ROWS = new RowDecoder([]);

/**
 * PostgreSQL did not answer in time, so the connection was closed; whether the last statement took effect is unknown.
 */
export class AnswerTimeoutError extends Error {
  /** Read by pg-errors.ts as the loss of a connection. */
  readonly code = 'ETIMEDOUT';

  constructor(timeoutMs: number) {
    super(`PostgreSQL did not answer within ${timeoutMs} ms`);
    this.name = AnswerTimeoutError.name;
  }
}

/** The named statements each connection knows, and what they answer. */
const prepared = new WeakMap<Connection, Map<string, RowDecoder>>();

/**
 * Statements that travel together: all in one socket write with one Sync behind them. Until that Sync they are one
 * transaction, with or without BEGIN; when one fails, PostgreSQL skips the rest, so no statement ever runs without the
 * ones before it. A named statement the connection knows is neither parsed nor described again, whose cost is most of a
 * short read's.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class StatementPipeline implements Submittable {
  private readonly results: StatementResult[] = [];
  private result: StatementResult = { rows: [], command: '' };
  private decoder: RowDecoder | undefined;
  private preparedDecoders = new Map<string, RowDecoder>();
  private failure: Error | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Messages that arrived so far. */
  private received = 0;

  private constructor(
    private readonly statements: readonly PipelinedStatement[],
    private readonly completion: { resolve: (results: StatementResult[]) => void; reject: (error: Error) => void },
  ) {}

  /**
   * Sends the statements and returns their answers in order; it waits its turn behind what the connection still does.
   * @param answerTimeoutMs longest wait for the answer of one statement; then the connection is closed
   * @throws the PostgreSQL error of the statement that failed, or of the implicit commit; AnswerTimeoutError
   */
  static send(
    client: PoolClient,
    statements: readonly PipelinedStatement[],
    answerTimeoutMs: number,
  ): Promise<StatementResult[]> {
    return new Promise((resolve, reject) => {
      const flight = new StatementPipeline(statements, { resolve, reject });
      flight.timer = setTimeout(() => flight.expire(client, answerTimeoutMs), answerTimeoutMs);
      client.query(flight);
    });
  }

  /** Called by pg when the connection is free; an error it returns is handed to `handleError`, and nothing was sent. */
  submit = (connection: Connection): Error | null => {
    const wire = connection as unknown as ProtocolConnection;
    let values: unknown[][];
    try {
      values = this.statements.map((statement) => statement.values.map(prepareValue));
    } catch (error) {
      return error as Error;
    }
    this.preparedDecoders = preparedOn(connection);
    this.decoder = this.decoderOf(0);
    wire.stream.cork();
    this.statements.forEach((statement, i) => this.write(wire, statement, values[i]!));
    wire.sync();
    wire.stream.uncork();
    return null;
  };

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.decoder = new RowDecoder(fields);
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.received += 1;
    if (this.failure) return;
    try {
      this.result.rows.push(this.decoder!.decode(fields));
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
    this.decoder = this.decoderOf(this.results.length);
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handleCopyInResponse(connection: Connection): void {
    (connection as unknown as ProtocolConnection).sendCopyFail('COPY FROM STDIN is not sent this way');
  }

  handleCopyData(): void {
    this.failure ??= new Error('COPY TO STDOUT is not read this way');
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

  /** Close first: an attempt that failed in another statement may have left the name behind, untold. */
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
   * Closes the connection, unless an answer arrived but was not read yet: a blocked event loop runs its timers before
   * it reads its sockets. The driver then fails what waits for this connection with the error given here.
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

  private decoderOf(index: number): RowDecoder | undefined {
    const name = this.statements[index]?.name;
    return name === undefined ? undefined : this.preparedDecoders.get(name);
  }
}

function preparedOn(connection: Connection): Map<string, RowDecoder> {
  let known = prepared.get(connection);
  if (!known) prepared.set(connection, (known = new Map<string, RowDecoder>()));
  return known;
}
