import type { FieldDef } from 'pg';
import { pgTypes } from './pg-types';

/** How the rows of one statement become objects: their columns' names and parsers, found out once a connection. */
export class RowShape {
  private readonly names: readonly string[];
  private readonly parsers: readonly ((text: string) => unknown)[];
  /** Copied for each row: objects born with all their keys stay fast. */
  private readonly empty: Readonly<Record<string, null>>;

  constructor(fields: readonly Pick<FieldDef, 'name' | 'dataTypeID'>[]) {
    this.names = fields.map(({ name }) => name);
    this.parsers = fields.map(({ dataTypeID }) => pgTypes.getTypeParser(dataTypeID));
    this.empty = Object.fromEntries(this.names.map((name) => [name, null]));
  }

  /** The row of these columns' texts. */
  row(texts: readonly (string | null)[]): Record<string, unknown> {
    const row: Record<string, unknown> = { ...this.empty };
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i]!;
      if (text !== null) row[this.names[i]!] = this.parsers[i]!(text);
    }
    return row;
  }
}
