import { Injectable } from '@nestjs/common';
import { accessAlertAdvice, accessAlertText } from '../../../auth/access-alert-mail';
import type { SecurityLogDto } from '../../../audit/dto/security-log.dto';
import { SecurityLogsService } from '../../../audit/security-logs.service';
import { ListSecurityLogsDto } from '../../../audit/dto/list-security-logs.dto';
import { SystemDatabase } from '../../../platform/database/system-database';
import { AccessAlertsService, type ShownAlert } from '../../access-alerts.service';
import { html, type Markup } from '../html';
import type { Panel, PanelRequest } from '../panel';
import { moment, numbers, table, tag } from '../widgets';

const EVENTS_SHOWN = 50;

/** Sign-ins and second factors of the last day, in numbers. */
interface Numbers {
  readonly signIns: number;
  readonly failed: number;
  readonly addresses: number;
  readonly users: number;
  readonly withMfa: number;
}

const NUMBERS = `
  SELECT count(*) FILTER (WHERE event_type LIKE 'auth.login%' AND success)::integer AS "signIns",
    count(*) FILTER (WHERE event_type LIKE 'auth.login%' AND NOT success)::integer AS failed,
    count(DISTINCT ip_address) FILTER (WHERE event_type LIKE 'auth.login%')::integer AS addresses,
    (SELECT count(*)::integer FROM users WHERE is_active) AS users,
    (SELECT count(*)::integer FROM user_mfa m JOIN users u ON u.id = m.user_id WHERE m.totp_enabled AND u.is_active) AS "withMfa"
  FROM security_logs WHERE created_at > now() - interval '24 hours'`;

/** Alerts that stand, and the latest security events. */
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

  async render({ query }: PanelRequest): Promise<Markup> {
    const isFailed = query['show'] === 'failed';
    const filters = Object.assign(new ListSecurityLogsDto(), { limit: EVENTS_SHOWN, success: isFailed ? false : undefined });
    const [[alerts, [figures]], { items }] = await Promise.all([
      this.system.asAdmin('look at the alerts', (unit) => Promise.all([this.alerts.standing(unit), unit.query<Numbers>(NUMBERS)])),
      this.events.list(filters),
    ]);
    return html`${figures ? numbersOf(figures) : null}
      <h2>Sign-ins out of the ordinary</h2>
      ${alerts.length === 0 ? html`<p class="empty">No alert stands.</p>` : html`<ul class="grid">${alerts.map(alertItem)}</ul>`}
      <h2>Security events</h2>
      <p>${isFailed ? html`<a href="/admin/security">All events</a>` : html`<a href="/admin/security?show=failed">Only what failed</a>`}</p>
      <div class="card">${eventsTable(items)}</div>`;
  }
}

function numbersOf({ signIns, failed, addresses, users, withMfa }: Numbers): Markup {
  return numbers([
    [signIns, 'sign-ins in 24 hours'],
    [failed, 'failed sign-ins'],
    [addresses, 'addresses'],
    [`${withMfa} of ${users}`, 'users with a second factor'],
  ]);
}

function alertItem(alert: ShownAlert): Markup {
  return html`<li class="card">
    <div class="row"><h3>${alert.userId === null ? 'Installation' : html`<a href="/admin/users/${alert.userId}">User ${alert.userId}</a>`}</h3> ${tag(alert.kind === 'new_device' ? 'warn' : 'bad', alert.kind)}</div>
    <p>${accessAlertText(alert)}</p>
    <p class="dim">${moment(alert.createdAt, true)} · ${accessAlertAdvice(alert)}</p>
    <p class="acts"><a class="button" href="/admin/alerts/${alert.id}/dismiss">Dismiss</a></p>
  </li>`;
}

function eventsTable(events: readonly SecurityLogDto[]): Markup {
  return table(
    'Security events, newest first',
    [
      { head: 'When', cell: ({ at }) => moment(at) },
      { head: 'Event', cell: ({ eventType, success }) => html`${eventType} ${success ? null : tag('bad', 'failed')}` },
      { head: 'User', cell: ({ userId }) => (userId === null ? '' : html`<a href="/admin/users/${userId}">${userId}</a>`), isNumber: true },
      { head: 'Address', cell: ({ ipAddress }) => ipAddress },
      { head: 'Tells', cell: tellsOf },
    ],
    events,
    'Nothing has happened yet.',
  );
}

/** Why, where that is known; ids of requests and sessions are for programs. */
function tellsOf({ details }: SecurityLogDto): string {
  const { reason, requestId: _request, sessionId: _session, operation: _operation, ...more } = details ?? {};
  const parts = Object.entries(more).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return (typeof reason === 'string' ? [reason, ...parts] : parts).join(', ');
}
