import { Injectable } from '@nestjs/common';
import type { VNode } from 'preact';
import { ListSecurityLogsDto, type SecurityLogDto } from '../../../audit/logs/audit-logs.dto';
import { SecurityLogsService } from '../../../audit/logs/security-logs.service';
import { SystemDatabase } from '../../../platform/database/system-database';
import {
  AccessAlertsService,
  describeAccessAlert,
  getAccessAlertAdvice,
  type OpenAccessAlert,
} from '../overview/access-alerts.service';
import { type Column, FigureList, Table, Tag, Timestamp, type Panel, type PanelRequest } from '../components/page';
import type { Query } from '../../../platform/http/validation/query-string';

const EVENTS_SHOWN = 50;

/** Counts of sign-ins of the last day and of second factors. */
interface SignInCounts {
  readonly signIns: number;
  readonly failed: number;
  readonly addresses: number;
  readonly users: number;
  readonly withMfa: number;
}

const SIGN_IN_COUNTS = `
  SELECT count(*) FILTER (WHERE event_type LIKE 'auth.login%' AND success)::integer AS "signIns",
    count(*) FILTER (WHERE event_type LIKE 'auth.login%' AND NOT success)::integer AS failed,
    count(DISTINCT ip_address) FILTER (WHERE event_type LIKE 'auth.login%')::integer AS addresses,
    (SELECT count(*)::integer FROM users WHERE is_active) AS users,
    (SELECT count(*)::integer FROM user_mfa m JOIN users u ON u.id = m.user_id
      WHERE m.totp_enabled AND u.is_active) AS "withMfa"
  FROM security_logs WHERE created_at > now() - interval '24 hours'`;

/** The open access alerts, and the security events with filters and pages. */
@Injectable()
export class SecurityPanel implements Panel {
  readonly path = '/security';
  readonly title = 'Security';
  readonly section = '/admin/security';

  constructor(
    private readonly system: SystemDatabase,
    private readonly alerts: AccessAlertsService,
    private readonly events: SecurityLogsService,
  ) {}

  async render({ query }: PanelRequest): Promise<VNode> {
    const filters = parseFilters(query);
    const [[alerts, [counts]], { items, nextCursor }] = await Promise.all([
      this.system.asAdmin('list the access alerts', (unit) =>
        Promise.all([this.alerts.listOpen(unit), unit.query<SignInCounts>(SIGN_IN_COUNTS)]),
      ),
      this.events.list(filters),
    ]);
    return (
      <>
        {counts && <KeyFigures {...counts} />}
        <h2>Unusual sign-ins</h2>
        <Alerts alerts={alerts} />
        <h2>Security events</h2>
        <p class="muted">
          The database roles of admins and tasks can read the rows of several users, so each use leaves an event:
          system.admin or system.worker.
        </p>
        <FilterForm filters={filters} />
        <div class="card">
          <Table
            caption="Security events, newest first"
            columns={EVENT_COLUMNS}
            rows={items}
            empty="No event matches these filters."
          />
        </div>
        <PageLinks filters={filters} nextCursor={nextCursor} />
      </>
    );
  }
}

function KeyFigures({ signIns, failed, addresses, users, withMfa }: SignInCounts): VNode {
  return (
    <FigureList
      figures={[
        [signIns, 'sign-ins in 24 hours'],
        [failed, 'failed sign-ins'],
        [addresses, 'IP addresses'],
        [`${withMfa} of ${users}`, 'users with a second factor'],
      ]}
    />
  );
}

function Alerts({ alerts }: { alerts: readonly OpenAccessAlert[] }): VNode {
  if (alerts.length === 0) return <p class="empty">No open alerts.</p>;
  return (
    <ul class="grid">
      {alerts.map((alert) => (
        <AlertItem alert={alert} />
      ))}
    </ul>
  );
}

function AlertItem({ alert }: { alert: OpenAccessAlert }): VNode {
  const { id, kind, userId, createdAt } = alert;
  return (
    <li class="card">
      <div class="row">
        <h3>{userId === null ? 'Installation' : <a href={`/admin/users/${userId}`}>User {userId}</a>}</h3>{' '}
        <Tag tone={kind === 'new_device' ? 'warn' : 'bad'} text={kind} />
      </div>
      <p>{describeAccessAlert(alert)}</p>
      <p class="muted">
        <Timestamp at={createdAt} isRelative /> · {getAccessAlertAdvice(alert)}
      </p>
      <p class="actions">
        <a class="button" href={`/admin/alerts/${id}/dismiss`}>
          Dismiss
        </a>
      </p>
    </li>
  );
}

const EVENT_COLUMNS: readonly Column<SecurityLogDto>[] = [
  { head: 'When', cell: ({ at }) => <Timestamp at={at} /> },
  {
    head: 'Event',
    cell: ({ eventType, success }) => (
      <>
        {eventType} {!success && <Tag tone="bad" text="failed" />}
      </>
    ),
  },
  {
    head: 'User',
    cell: ({ userId }) => userId && <a href={`/admin/users/${userId}`}>{userId}</a>,
    isNumber: true,
  },
  { head: 'IP address', cell: ({ ipAddress }) => ipAddress },
  { head: 'Details', cell: formatDetails },
];

/** Formats the details of an event, its reason first; leaves out ids of requests and sessions. */
function formatDetails({ details }: SecurityLogDto): string {
  const { reason, requestId: _request, sessionId: _session, operation: _operation, ...more } = details ?? {};
  const parts = Object.entries(more).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return (typeof reason === 'string' ? [reason, ...parts] : parts).join(', ');
}

/** Parses the filters of the query; ignores invalid values. */
function parseFilters(query: Query): ListSecurityLogsDto {
  const getText = (name: string): string => (typeof query[name] === 'string' ? query[name].trim() : '');
  const userId = getText('user');
  return Object.assign(new ListSecurityLogsDto(), {
    limit: EVENTS_SHOWN,
    eventType: /^[a-z0-9_.-]{1,100}$/.test(getText('type')) ? getText('type') : undefined,
    userId: /^[1-9]\d{0,14}$/.test(userId) ? Number(userId) : undefined,
    success: getText('show') === 'failed' ? false : undefined,
    cursor: getText('cursor') || undefined,
  });
}

function FilterForm({ filters: { eventType, userId, success } }: { filters: ListSecurityLogsDto }): VNode {
  return (
    <form class="filters" method="get" action="/admin/security" role="search">
      <label>
        Type <input type="search" name="type" maxlength={100} value={eventType} placeholder="auth.login" />
      </label>
      <label>
        User <input type="search" name="user" inputmode="numeric" maxlength={15} value={userId} />
      </label>
      <label>
        Result{' '}
        <select name="show">
          <option value="">all</option>
          <option value="failed" selected={success === false}>
            failed
          </option>
        </select>
      </label>
      <button>Filter</button>
    </form>
  );
}

function PageLinks({ filters, nextCursor }: { filters: ListSecurityLogsDto; nextCursor: string | null }): VNode {
  const { eventType = '', userId = '', success, cursor } = filters;
  const query = { type: eventType, user: String(userId), show: success === false ? 'failed' : '' };
  const buildPath = (more: Record<string, string>): string =>
    `/admin/security?${new URLSearchParams({ ...query, ...more }).toString()}`;
  return (
    <p class="actions">
      {cursor !== undefined && (
        <a class="button subtle" href={buildPath({})}>
          Newest events
        </a>
      )}{' '}
      {nextCursor !== null && (
        <a class="button subtle" href={buildPath({ cursor: nextCursor })}>
          Older events
        </a>
      )}
    </p>
  );
}
