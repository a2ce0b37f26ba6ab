import { html, type Markup } from './html';
import type { Query } from '../../../platform/http/validation/query-string';

/** The navigation, in its order. */
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
  /** The entry of the navigation it belongs to. */
  readonly section: string;
  readonly body: Markup;
  /** Shown once, after an act. */
  readonly notice?: string;
  /** What of it is shown live: a view of /admin/events. */
  readonly live?: string;
  /** Without a script the page loads itself again after so many seconds. */
  readonly reloadSeconds?: number;
}

/** A page with the navigation, for a signed-in admin. */
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
        <form method="post" action="/admin/sign-out"><button class="quiet">Sign out</button></form>
      </header>
      <main
        id="content"
        ${live === undefined ? null : html` data-events="/admin/events?view=${encodeURIComponent(live)}"`}
      >
        ${notice === undefined ? null : html`<p class="notice" role="status">${notice}</p>`} ${body}
      </main>
      <footer class="dim">
        <span id="live" hidden></span>
        Times are UTC. What you do here is kept in the security log, with your reason. <a href="/docs">API</a>
      </footer>
      <script src="/admin/script.js" defer></script>`,
    reloadSeconds === undefined
      ? null
      : html`<noscript><meta http-equiv="refresh" content="${reloadSeconds}" /></noscript>`,
  );
}

/** Returns a page of one narrow card, for people who are not signed in yet or have to decide something. */
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

/** What a panel is asked with. */
export interface PanelRequest {
  readonly query: Query;
  /** The `:id` of its path, where it has one. */
  readonly id: string;
}

/** One page of the dashboard about one matter; a panel is one file, listed in admin.module.ts. */
export interface Panel {
  /** Below /admin, as Fastify writes paths. */
  readonly path: string;
  readonly title: string;
  /** The entry of the navigation it belongs to. */
  readonly section: string;
  /** What of it is shown live: a view of /admin/events. */
  readonly live?: string;
  /** Returns what stands below its title, for the admin of the request. Reading rows, unlike figures, is a security event. */
  render(request: PanelRequest): Promise<Markup>;
}

/** All panels, as they are injected. */
export const PANELS = Symbol('panels of the dashboard');
