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

  private constructor(
    private readonly statements: readonly FlightStatement[],
    private readonly settle: { resolve: (results: FlightResult[]) => void; reject: (error: Error) => void },
  ) {}

  /**
   * Sends the statements and returns their answers in order; it waits its turn behind what the connection still does.
   * @throws the PostgreSQL error of the statement that failed, or of the implicit commit
   */
  static send(client: PoolClient, statements: readonly FlightStatement[]): Promise<FlightResult[]> {
    return new Promise((resolve, reject) => void client.query(new Flight(statements, { resolve, reject })));
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
    if (this.failure) return;
    try {
      this.result.rows.push(this.shape!.row(fields));
    } catch (error) {
      this.failure = error as Error;
    }
  }

  handleCommandComplete({ text }: { text: string }): void {
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
    this.settle.reject(error);
  }

  handleReadyForQuery(): void {
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
