import { html, type Markup } from './html';
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

/** A page for a signed-in admin. */
export interface DashboardPage {
  readonly title: string;
  /** The path of its entry in the navigation. */
  readonly section: string;
  readonly body: Markup;
  /** Message shown once, after an action. */
  readonly notice?: string;
  /** The view of /admin/events that updates the page. */
  readonly live?: string;
  /** Reload interval for browsers without scripts. */
  readonly reloadSeconds?: number;
}

/** Renders a page with the navigation, for a signed-in admin. */
export function signedInPage({ title, section, body, notice, live, reloadSeconds }: DashboardPage): string {
  return renderDocument(
    title,
    html`<a class="skip" href="#content">Skip to the content</a>
      <header>
        <a class="brand" href="/admin">Gigvault</a>
        <nav aria-label="Dashboard">
          ${NAVIGATION.map(([href, name]) => html`<a href="${href}" ${href === section ? html` aria-current="page"` : null}>${name}</a>`)}
        </nav>
        <a class="account" href="/admin/account" ${section === '/admin/account' ? html` aria-current="page"` : null}
          >Account</a
        >
        <form method="post" action="/admin/sign-out"><button class="subtle">Sign out</button></form>
      </header>
      <main
        id="content"
        ${live === undefined ? null : html` data-events="/admin/events?view=${encodeURIComponent(live)}"`}
      >
        ${notice === undefined ? null : html`<p class="notice" role="status">${notice}</p>`} ${body}
      </main>
      <footer class="muted">
        <span id="live" hidden></span>
        Times are UTC. Your actions and their reasons are kept in the security log. <a href="/docs">API</a>
      </footer>
      <script src="/admin/script.js" defer></script>`,
    reloadSeconds === undefined
      ? null
      : html`<noscript><meta http-equiv="refresh" content="${reloadSeconds}" /></noscript>`,
  );
}

/** Renders a page with one narrow card: sign-in, confirmation and error pages. */
export function cardPage(title: string, body: Markup, reloadSeconds?: number): string {
  const reload = reloadSeconds === undefined ? null : html`<meta http-equiv="refresh" content="${reloadSeconds}" />`;
  return renderDocument(title, html`<main class="narrow card">${body}</main>`, reload);
}

function renderDocument(title: string, body: Markup, reload: Markup | null): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        ${reload}
        <title>${title} · Gigvault</title>
        <link rel="stylesheet" href="/admin/style.css" />
      </head>
      <body>
        ${body}
      </body>
    </html>`.text;
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
  /** Renders the content below the title. Reading rows, unlike statistics, is a security event. */
  render(request: PanelRequest): Promise<Markup>;
}

/** Injection token of all panels. */
export const PANELS = Symbol('panels of the dashboard');
