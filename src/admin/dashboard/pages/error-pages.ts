import type { CheckResult } from '../../../platform/health/health.service';
import { factList, html, type Markup, tag } from '../components/html';
import { cardPage } from '../components/page';

/** Reload interval of the page. */
const RELOAD_SECONDS = 5;

const CHECK_NAMES: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  redis: 'Redis',
  partitions: 'Partitions',
  queue: 'Queue',
  process: 'This process',
};

/** Checks that depend on another one; when both fail, the title names only the cause. */
const DEPENDENCIES: Readonly<Record<string, string>> = { partitions: 'postgres', queue: 'redis' };

const STATUS_TAGS = { ok: ['good', 'OK'], warning: ['warn', 'Warning'], failed: ['bad', 'Failing'] } as const;

/** The data of the page. */
export interface UnavailablePageView {
  readonly checks: Readonly<Record<string, CheckResult>>;
  /** True when a service is unavailable; otherwise the page itself failed. */
  readonly isUnavailable: boolean;
  /** True when the page may reload itself; a form must not be sent again. */
  readonly canReload: boolean;
  /** The requested page. */
  readonly path: string;
  readonly requestId: string;
}

/** Renders the page shown while PostgreSQL or Redis is unavailable; it reloads itself until they answer. */
export function unavailablePage({ checks, isUnavailable, canReload, path, requestId }: UnavailablePageView): string {
  const failed = Object.keys(checks).filter(
    (name) => hasFailed(checks, name) && !hasFailed(checks, DEPENDENCIES[name]),
  );
  const title =
    failed.length > 0
      ? `${failed.map(getCheckName).join(' and ')} unavailable`
      : isUnavailable
        ? 'Temporarily unavailable'
        : 'This page failed';
  return cardPage(
    title,
    html`<h1>${title}</h1>
      <p>
        ${isUnavailable ? 'The dashboard needs PostgreSQL and Redis to show this page.' : 'The server could not render this page. The log of the API contains the reason.'}
      </p>
      ${factList(Object.entries(checks).map(([name, check]) => [getCheckName(name), checkState(check)] as const))}
      <p>
        ${canReload && isUnavailable ? `This page reloads every ${RELOAD_SECONDS} seconds.` : null}
        <a href="${path}">Try again</a>
      </p>
      <p class="muted">Request ${requestId}</p>`,
    canReload && isUnavailable ? RELOAD_SECONDS : undefined,
  );
}

function hasFailed(checks: UnavailablePageView['checks'], name: string | undefined): boolean {
  return name !== undefined && checks[name]?.status === 'failed';
}

function getCheckName(check: string): string {
  return CHECK_NAMES[check] ?? check;
}

function checkState({ status, detail }: CheckResult): Markup {
  const [tone, label] = STATUS_TAGS[status];
  return html`${tag(tone, label)} ${detail}`;
}

/** Renders an error page with a link back. */
export function problemPage(title: string, detail: string | undefined, requestId: string): string {
  return cardPage(
    title,
    html`<h1>${title}</h1>
      <p>${detail}</p>
      <p class="muted">Request ${requestId}</p>
      <p><a href="/admin">Back to the dashboard</a></p>`,
  );
}
