import type { CheckResult } from '../../../platform/health/health-checks';
import { html, type Markup } from '../html';
import { cardPage } from '../layout';
import { facts, tag } from '../widgets';

/** The page tries again by itself after so many seconds. */
const RELOAD_SECONDS = 5;

const NAMES: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  redis: 'Redis',
  partitions: 'Partitions',
  queue: 'Queue',
  process: 'This process',
};

/** What cannot be read while another part is away; the title names that part alone. */
const RESTS_ON: Readonly<Record<string, string>> = { partitions: 'postgres', queue: 'redis' };

const WORDS = { ok: ['good', 'OK'], warning: ['warn', 'Warning'], failed: ['bad', 'Failing'] } as const;

/** What the page is made of. */
export interface Degraded {
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
export function degradedPage({ checks, isUnavailable, canReload, path, requestId }: Degraded): string {
  const failed = Object.keys(checks).filter((name) => hasFailed(checks, name) && !hasFailed(checks, RESTS_ON[name]));
  const title =
    failed.length > 0
      ? `${failed.map(nameOf).join(' and ')} cannot be used`
      : isUnavailable
        ? 'Temporarily unavailable'
        : 'This page failed';
  return cardPage(
    title,
    html`<h1>${title}</h1>
      <p>
        ${isUnavailable ? 'The dashboard needs PostgreSQL and Redis to show this page.' : 'The server could not make this page. The log of the API says why.'}
      </p>
      ${facts(Object.entries(checks).map(([name, check]) => [nameOf(name), stateOf(check)] as const))}
      <p>
        ${canReload && isUnavailable ? `This page tries again every ${RELOAD_SECONDS} seconds.` : null}
        <a href="${path}">Try again</a>
      </p>
      <p class="dim">Request ${requestId}</p>`,
    canReload && isUnavailable ? RELOAD_SECONDS : undefined,
  );
}

function hasFailed(checks: Degraded['checks'], name: string | undefined): boolean {
  return name !== undefined && checks[name]?.status === 'failed';
}

function nameOf(check: string): string {
  return NAMES[check] ?? check;
}

function stateOf({ status, detail }: CheckResult): Markup {
  const [tone, word] = WORDS[status];
  return html`${tag(tone, word)} ${detail}`;
}
