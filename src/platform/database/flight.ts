import type { Connection, FieldDef, PoolClient, QueryResultRow, Submittable } from 'pg';
import { prepareValue } from 'pg/lib/utils.js';
import { RowShape } from './row-shape';

/** One statement on its way; with a name it is parsed and described once a connection. */
export interface FlightStatement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What one statement answered. */
export interface FlightResult {
  readonly rows: QueryResultRow[];
  /** PostgreSQL's tag: `SELECT 1`, `COMMIT`, `ROLLBACK`. */
  command: string;
}

/** The socket of pg's client, which its published types leave out. */
interface Driver {
  readonly connection: { readonly stream: { destroy(error: Error): void } };
}

/** Messages of pg's connection that its published types leave out or describe for an older version. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { name?: string; text: string }): void;
  describe(message: { type: 'S'; name?: string }): void;
  bind(message: { statement?: string; values: readonly unknown[] }): void;
  execute(): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
  sendCopyFail(reason: string): void;
}

const NO_ROWS = new RowShape([]);

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
const prepared = new WeakMap<Connection, Map<string, RowShape>>();

/**
 * Statements that travel together: all in one socket write with one Sync behind them. Until that Sync they are one
 * transaction, with or without BEGIN; when one fails, PostgreSQL skips the rest, so no statement ever runs without the
 * ones before it. A named statement the connection knows is neither parsed nor described again, whose cost is most of a
 * short read's.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class Flight implements Submittable {
  private readonly results: FlightResult[] = [];
  private result: FlightResult = { rows: [], command: '' };
  private shape: RowShape | undefined;
  private known = new Map<string, RowShape>();
  private failure: Error | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Messages that arrived so far. */
  private received = 0;

  private constructor(
    private readonly statements: readonly FlightStatement[],
    private readonly settle: { resolve: (results: FlightResult[]) => void; reject: (error: Error) => void },
  ) {}

  /**
   * Sends the statements and returns their answers in order; it waits its turn behind what the connection still does.
   * @param answerTimeoutMs longest wait for the answer of one statement; then the connection is closed
   * @throws the PostgreSQL error of the statement that failed, or of the implicit commit; AnswerTimeoutError
   */
  static send(
    client: PoolClient,
    statements: readonly FlightStatement[],
    answerTimeoutMs: number,
  ): Promise<FlightResult[]> {
    return new Promise((resolve, reject) => {
      const flight = new Flight(statements, { resolve, reject });
      flight.timer = setTimeout(() => flight.expire(client, answerTimeoutMs), answerTimeoutMs);
      client.query(flight);
    });
  }

  /** Called by pg when the connection is free; an error it returns is handed to `handleError`, and nothing was sent. */
  submit = (connection: Connection): Error | null => {
    const wire = connection as unknown as Wire;
    let values: unknown[][];
    try {
      values = this.statements.map((statement) => statement.values.map(prepareValue));
    } catch (error) {
      return error as Error;
    }
    this.known = knownOn(connection);
    this.shape = this.shapeOf(0);
    wire.stream.cork();
    this.statements.forEach((statement, i) => this.write(wire, statement, values[i]!));
    wire.sync();
    wire.stream.uncork();
    return null;
  };

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.shape = new RowShape(fields);
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.received += 1;
    if (this.failure) return;
    try {
      this.result.rows.push(this.shape!.row(fields));
    } catch (error) {
      this.failure = error as Error;
    }
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.received += 1;
    this.timer?.refresh();
    this.result.command = text;
    const { name } = this.statements[this.results.length]!;
    if (name !== undefined) this.known.set(name, this.shape ?? NO_ROWS);
    this.results.push(this.result);
    this.result = { rows: [], command: '' };
    this.shape = this.shapeOf(this.results.length);
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handleCopyInResponse(connection: Connection): void {
    (connection as unknown as Wire).sendCopyFail('COPY FROM STDIN is not sent this way');
  }

  handleCopyData(): void {
    this.failure ??= new Error('COPY TO STDOUT is not read this way');
  }

  handleError(error: Error): void {
    this.stopTimer();
    this.settle.reject(error);
  }

  handleReadyForQuery(): void {
    this.stopTimer();
    if (this.failure) this.settle.reject(this.failure);
    else this.settle.resolve(this.results);
  }

  /** Close first: an attempt that failed in another statement may have left the name behind, untold. */
  private write(wire: Wire, { name, text }: FlightStatement, values: readonly unknown[]): void {
    if (name === undefined || !this.known.has(name)) {
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

  private shapeOf(index: number): RowShape | undefined {
    const name = this.statements[index]?.name;
    return name === undefined ? undefined : this.known.get(name);
  }
}

function knownOn(connection: Connection): Map<string, RowShape> {
  let known = prepared.get(connection);
  if (!known) prepared.set(connection, (known = new Map<string, RowShape>()));
  return known;
}
