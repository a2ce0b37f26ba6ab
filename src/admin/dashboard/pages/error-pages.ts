import type { CheckResult } from '../../../platform/health/health.service';
import { factList, html, type Markup, tag } from '../components/html';
import { cardPage } from '../components/page';

/** The page tries again by itself after so many seconds. */
const RELOAD_SECONDS = 5;

const CHECK_NAMES: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  redis: 'Redis',
  partitions: 'Partitions',
  queue: 'Queue',
  process: 'This process',
};

/** What cannot be read while another part is away; the title names that part alone. */
const RESTS_ON: Readonly<Record<string, string>> = { partitions: 'postgres', queue: 'redis' };

const STATUS_TAGS = { ok: ['good', 'OK'], warning: ['warn', 'Warning'], failed: ['bad', 'Failing'] } as const;

/** What the page is made of. */
export interface UnavailablePageView {
  readonly checks: Readonly<Record<string, CheckResult>>;
  /** Whether something the dashboard needs is away, unlike a fault of its own. */
  readonly isUnavailable: boolean;
  /** A form is not sent again by itself. */
  readonly canReload: boolean;
  /** The page that was asked for. */
  readonly path: string;
  readonly requestId: string;
}

/** Returns the page shown while PostgreSQL or Redis is away: what is wrong, at the same address, until it is over. */
export function unavailablePage({ checks, isUnavailable, canReload, path, requestId }: UnavailablePageView): string {
  const failed = Object.keys(checks).filter((name) => hasFailed(checks, name) && !hasFailed(checks, RESTS_ON[name]));
  const title =
    failed.length > 0
      ? `${failed.map(getCheckName).join(' and ')} cannot be used`
      : isUnavailable
        ? 'Temporarily unavailable'
        : 'This page failed';
  return cardPage(
    title,
    html`<h1>${title}</h1>
      <p>
        ${isUnavailable ? 'The dashboard needs PostgreSQL and Redis to show this page.' : 'The server could not make this page. The log of the API says why.'}
      </p>
      ${factList(Object.entries(checks).map(([name, check]) => [getCheckName(name), checkState(check)] as const))}
      <p>
        ${canReload && isUnavailable ? `This page tries again every ${RELOAD_SECONDS} seconds.` : null}
        <a href="${path}">Try again</a>
      </p>
      <p class="dim">Request ${requestId}</p>`,
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
  const [tone, word] = STATUS_TAGS[status];
  return html`${tag(tone, word)} ${detail}`;
}

/** Returns the page that says what went wrong, with a way back. */
export function problemPage(title: string, detail: string | undefined, requestId: string): string {
  return cardPage(
    title,
    html`<h1>${title}</h1>
      <p>${detail}</p>
      <p class="dim">Request ${requestId}</p>
      <p><a href="/admin">Back to the dashboard</a></p>`,
  );
}
