/**
 * Collects the conditions of a WHERE clause and their parameters in step, so that a filter is never text. The texts
 * passed in are constants of a `*.queries.ts` file; `$?` stands for the value.
 * @example new Conditions().add('job_id = $?', filter.jobId).anyOf('status', filter.status)
 */
export class Conditions {
  private readonly texts: string[] = [];

  /** Conditions of one statement that stand in several places share its `values`. */
  constructor(readonly values: unknown[] = []) {}

  /** Adds a condition on `value`; without a value (undefined) there is none. A text may use `$?` several times. */
  add(text: string, value: unknown): this {
    if (value !== undefined) this.texts.push(text.replaceAll('$?', this.value(value)));
    return this;
  }

  /**
   * Adds that the column is one of `values`; without any there is no condition. One value is compared by =, which keeps the
   * order of an index that goes on behind the column, whatever the plan.
   */
  anyOf(column: string, values: readonly string[] | undefined): this {
    if (!values || values.length === 0) return this;
    return values.length === 1 ? this.add(`${column} = $?`, values[0]) : this.add(`${column} = ANY ($?)`, values);
  }

  /** Adds a condition that has no value. */
  always(text: string): this {
    this.texts.push(text);
    return this;
  }

  /** Adds a row comparison with the keys of the page before; on the first page there are none. */
  after(columns: string, operator: '<' | '>', types: readonly string[], keys: readonly unknown[] | undefined): this {
    if (keys === undefined) return this;
    const marks = keys.map((key, i) => `${this.value(key)}::${types[i]}`);
    this.texts.push(`(${columns}) ${operator} (${marks.join(', ')})`);
    return this;
  }

  /** Makes a value a parameter and returns its placeholder. */
  value(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.texts.length === 0;
  }

  /** One condition that says all of them. */
  get all(): string {
    return this.isEmpty ? 'true' : this.texts.join(' AND ');
  }

  /** The clause with its keyword; empty without a condition. */
  get where(): string {
    return this.isEmpty ? '' : `WHERE ${this.all}`;
  }
}
