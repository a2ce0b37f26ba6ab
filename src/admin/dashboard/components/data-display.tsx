import type { VNode } from 'preact';
import type { HealthLevel } from '../overview/health-statuses';

/** What a cell or an entry of a list shows. */
export type Content = VNode | string | number | null;

/** Renders a word as a coloured tag. */
export function Tag({ tone, text }: { tone: HealthLevel | 'neutral'; text: string }): VNode {
  return <span class={`tag ${tone}`}>{text.replaceAll('_', ' ')}</span>;
}

/** Renders an instant; the script shows relative ones as a time span. */
export function Timestamp({ at, isRelative = false }: { at: Date | null; isRelative?: boolean }): VNode {
  if (at === null) return <span class="muted">–</span>;
  const text = at.toISOString();
  return (
    <time datetime={text} data-relative={isRelative ? '' : undefined}>
      {text.slice(0, 19).replace('T', ' ')}
    </time>
  );
}

/** A column of a table: its heading and its cells. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Content;
  readonly isNumber?: boolean;
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Shown instead of a table without rows. */
  readonly empty: string;
}

/** Renders a table; on a phone each row is a card with labelled cells. */
export function Table<Row>({ caption, columns, rows, empty }: TableProps<Row>): VNode {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const getClass = ({ isNumber }: Column<Row>): string | undefined => (isNumber ? 'number' : undefined);
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col" class={getClass(column)}>
              {column.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            {columns.map((column) => (
              <td data-label={column.head} class={getClass(column)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A name with its value. */
export type Fact = readonly [name: string, value: Content];

/** Renders names and values as a list. */
export function FactList({ facts }: { facts: readonly Fact[] }): VNode {
  return (
    <dl>
      {facts.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

/** Renders key figures with their labels. */
export function FigureList({
  figures,
}: {
  figures: readonly (readonly [value: number | string, name: string])[];
}): VNode {
  return (
    <ul class="numbers">
      {figures.map(([value, name]) => (
        <li class="card">
          <strong>{value}</strong> <span class="muted">{name}</span>
        </li>
      ))}
    </ul>
  );
}

/** Renders a part of the page that the events of /admin/events replace, by its name. */
export function LivePart({ name, children }: { name: string; children: VNode }): VNode {
  return <div data-live={name}>{children}</div>;
}
