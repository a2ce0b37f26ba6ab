import type { ComponentChildren, VNode } from 'preact';
import type { Query } from '../../../platform/http/validation/query-string';
import type { HealthLevel } from '../overview/health-statuses';

/** The entries of the navigation. */
const NAVIGATION: readonly (readonly [href: string, name: string])[] = [
  ['/admin', 'Overview'],
  ['/admin/runs', 'Runs'],
  ['/admin/database', 'Database'],
  ['/admin/partitions', 'Partitions'],
  ['/admin/backups', 'Backups'],
  ['/admin/security', 'Security'],
  ['/admin/users', 'Users'],
  ['/admin/keys', 'Keys'],
  ['/admin/queues', 'Queue'],
];

interface SignedInPageProps {
  readonly title: string;
  /** The path of its entry in the navigation. */
  readonly section: string;
  /** Message shown once, after an action. */
  readonly notice?: string;
  /** The view of /admin/events that updates the page. */
  readonly live?: string;
  /** Reload interval for browsers without scripts. */
  readonly reloadSeconds?: number;
  readonly children: ComponentChildren;
}

/** Renders a page with the navigation, for a signed-in admin. */
export function SignedInPage({ title, section, notice, live, reloadSeconds, children }: SignedInPageProps): VNode {
  return (
    <Document
      title={title}
      reload={
        reloadSeconds !== undefined && (
          <noscript>
            <Reload seconds={reloadSeconds} />
          </noscript>
        )
      }
    >
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Header section={section} />
      <main id="content" data-events={live && `/admin/events?view=${encodeURIComponent(live)}`}>
        {notice !== undefined && (
          <p class="notice" role="status">
            {notice}
          </p>
        )}
        {children}
      </main>
      <footer class="muted">
        <span id="live" hidden></span> Times are UTC. Your actions and their reasons are kept in the security log.{' '}
        <a href="/docs">API</a>
      </footer>
      <script src="/admin/script.js" defer></script>
    </Document>
  );
}

function Header({ section }: { section: string }): VNode {
  const getCurrent = (href: string): 'page' | undefined => (href === section ? 'page' : undefined);
  return (
    <header>
      <a class="brand" href="/admin">
        Gigvault
      </a>
      <nav aria-label="Dashboard">
        {NAVIGATION.map(([href, name]) => (
          <a href={href} aria-current={getCurrent(href)}>
            {name}
          </a>
        ))}
      </nav>
      <a class="account" href="/admin/account" aria-current={getCurrent('/admin/account')}>
        Account
      </a>
      <form method="post" action="/admin/sign-out">
        <button class="subtle">Sign out</button>
      </form>
    </header>
  );
}

interface CardPageProps {
  readonly title: string;
  readonly reloadSeconds?: number;
  readonly children: ComponentChildren;
}

/** Renders a page with one narrow card: sign-in, confirmation and error pages. */
export function CardPage({ title, reloadSeconds, children }: CardPageProps): VNode {
  return (
    <Document title={title} reload={reloadSeconds !== undefined && <Reload seconds={reloadSeconds} />}>
      <main class="narrow card">{children}</main>
    </Document>
  );
}

function Reload({ seconds }: { seconds: number }): VNode {
  return <meta http-equiv="refresh" content={String(seconds)} />;
}

interface DocumentProps {
  readonly title: string;
  readonly reload: VNode | false;
  readonly children: ComponentChildren;
}

function Document({ title, reload, children }: DocumentProps): VNode {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        {reload}
        <title>{title} · Gigvault</title>
        <link rel="stylesheet" href="/admin/style.css" />
      </head>
      <body>{children}</body>
    </html>
  );
}

/** The request for a panel. */
export interface PanelRequest {
  readonly query: Query;
  /** The `:id` of the path; empty without one. */
  readonly id: string;
}

/** A page of the dashboard. Each panel must be listed in admin.module.ts. */
export interface Panel {
  /** Fastify path below /admin. */
  readonly path: string;
  readonly title: string;
  /** The path of its entry in the navigation. */
  readonly section: string;
  /** The view of /admin/events that updates the page. */
  readonly live?: string;
  /** False when the page does not exist (404); true when absent. */
  readonly isAvailable?: boolean;
  /** Renders the content below the title. Reading rows, unlike statistics, is a security event. */
  render(request: PanelRequest): Promise<VNode>;
}

/** Injection token of all panels. */
export const PANELS = Symbol('panels of the dashboard');

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
