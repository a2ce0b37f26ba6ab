import type { VNode } from 'preact';
import type { CheckResult } from '../../../platform/health/health.service';
import { FactList, Tag, CardPage } from '../components/page';

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

interface UnavailablePageProps {
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
export function UnavailablePage({ checks, isUnavailable, canReload, path, requestId }: UnavailablePageProps): VNode {
  const title = findTitle(checks, isUnavailable);
  const reloads = canReload && isUnavailable;
  return (
    <CardPage title={title} reloadSeconds={reloads ? RELOAD_SECONDS : undefined}>
      <h1>{title}</h1>
      <p>
        {isUnavailable
          ? 'The dashboard needs PostgreSQL and Redis to show this page.'
          : 'The server could not render this page. The log of the API contains the reason.'}
      </p>
      <FactList
        facts={Object.entries(checks).map(([name, check]) => [getCheckName(name), <CheckState {...check} />] as const)}
      />
      <p>
        {reloads && `This page reloads every ${RELOAD_SECONDS} seconds.`} <a href={path}>Try again</a>
      </p>
      <p class="muted">Request {requestId}</p>
    </CardPage>
  );
}

function findTitle(checks: UnavailablePageProps['checks'], isUnavailable: boolean): string {
  const failed = Object.keys(checks).filter(
    (name) => hasFailed(checks, name) && !hasFailed(checks, DEPENDENCIES[name]),
  );
  if (failed.length > 0) return `${failed.map(getCheckName).join(' and ')} unavailable`;
  return isUnavailable ? 'Temporarily unavailable' : 'This page failed';
}

function hasFailed(checks: UnavailablePageProps['checks'], name: string | undefined): boolean {
  return name !== undefined && checks[name]?.status === 'failed';
}

function getCheckName(check: string): string {
  return CHECK_NAMES[check] ?? check;
}

function CheckState({ status, detail }: CheckResult): VNode {
  const [tone, label] = STATUS_TAGS[status];
  return (
    <>
      <Tag tone={tone} text={label} /> {detail}
    </>
  );
}

interface ProblemPageProps {
  readonly title: string;
  readonly detail: string | undefined;
  readonly requestId: string;
}

/** Renders an error page with a link back. */
export function ProblemPage({ title, detail, requestId }: ProblemPageProps): VNode {
  return (
    <CardPage title={title}>
      <h1>{title}</h1>
      <p>{detail}</p>
      <p class="muted">Request {requestId}</p>
      <p>
        <a href="/admin">Back to the dashboard</a>
      </p>
    </CardPage>
  );
}
