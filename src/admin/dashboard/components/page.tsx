import type { ComponentChildren, VNode } from 'preact';
import type { Query } from '../../../platform/http/validation/query-string';

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
