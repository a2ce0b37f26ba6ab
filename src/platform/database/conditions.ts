/**
 * The conditions of a WHERE clause with their parameters; a filter value never becomes SQL text. Condition texts are
 * constants of a `*.queries.ts` file, where `$?` marks the value.
 * @example new Conditions().add('job_id = $?', filter.jobId).anyOf('status', filter.status)
 */
export class Conditions {
  private readonly texts: string[] = [];

  /** @param values shared by all condition lists of one statement */
  constructor(readonly values: unknown[] = []) {}

  /** Adds a condition on `value`, or nothing when it is undefined. A text may repeat `$?`. */
  add(text: string, value: unknown): this {
    if (value !== undefined) this.texts.push(text.replaceAll('$?', this.value(value)));
    return this;
  }

  /**
   * Adds a condition that the column equals one of `values`, or nothing when there are none. A single value is compared
   * by =, so any plan can use the order of the index columns that follow.
   */
  anyOf(column: string, values: readonly string[] | undefined): this {
    if (!values || values.length === 0) return this;
    return values.length === 1 ? this.add(`${column} = $?`, values[0]) : this.add(`${column} = ANY ($?)`, values);
  }

  /** Adds a condition without a value. */
  always(text: string): this {
    this.texts.push(text);
    return this;
  }

  /** Adds a row comparison with the last keys of the previous page, or nothing on the first page. */
  after(columns: string, operator: '<' | '>', types: readonly string[], keys: readonly unknown[] | undefined): this {
    if (keys === undefined) return this;
    const marks = keys.map((key, i) => `${this.value(key)}::${types[i]}`);
    this.texts.push(`(${columns}) ${operator} (${marks.join(', ')})`);
    return this;
  }

  /** Adds a parameter and returns its placeholder. */
  value(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  /** True when no condition was added. */
  get isEmpty(): boolean {
    return this.texts.length === 0;
  }

  /** All conditions, joined by AND; `true` when there are none. */
  get all(): string {
    return this.isEmpty ? 'true' : this.texts.join(' AND ');
  }

  /** The WHERE clause; empty without conditions. */
  get where(): string {
    return this.isEmpty ? '' : `WHERE ${this.all}`;
  }
}
