import type { Email } from '../platform/mail/email';
import {
  CLAIM_DELIVERY,
  type ClaimedDelivery,
  type DeliveryRow,
  FIND_DELIVERY,
  listDeliveries,
  LOCK_WEBHOOK,
  MARK_DELIVERED,
  PAUSE_WEBHOOK,
  RECORD_DELIVERY,
  RECORD_DELIVERY_FAILURE,
  RETRY_DELIVERY,
  SECONDS_UNTIL_TEST_ALLOWED,
} from './deliveries.queries';
import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { MailerService } from '../platform/mail/mailer.service';
import { TaskRequestService } from '../platform/scheduler/task-request.service';
import { DeliveryDto } from './webhooks.dto';
import { Webhook } from './webhook.entity';
import { WebhookSecretsService, WebhookSenderService, type SendResult } from './webhook-sender.service';

interface SavedSearchMatches {
  readonly searches: readonly { readonly name: string; readonly newMatches: number }[];
}

/** Builds the email of a delivery. @throws Error for an event type that is never emailed */
export function buildDeliveryEmail({ eventType, payload, email: to }: ClaimedDelivery, publicUrl: string): Email {
  switch (eventType) {
    case 'saved_search.matched': {
      const { searches } = payload as unknown as SavedSearchMatches;
      const lines = searches.map(({ name, newMatches }) => `${name}: ${newMatches}`);
      return {
        to,
        subject: 'New jobs for your saved searches',
        text: [...lines, '', `See them at ${publicUrl}`].join('\n'),
      };
    }
    case 'connection.reconnect_needed':
      return buildReconnectEmail(to, String(payload['provider']), publicUrl);
    default:
      throw new Error(`no email is defined for the event type ${eventType}`);
  }
}

/** Builds the email that asks the owner of a connection to reconnect. */
function buildReconnectEmail(to: string, provider: string, publicUrl: string): Email {
  const name = provider.charAt(0).toUpperCase() + provider.slice(1);
  return {
    to,
    subject: `Reconnect Gigvault to ${name}`,
    text: [
      `${name} no longer accepts your connection to Gigvault, so jobs, proposals and messages are not synchronised.`,
      '',
      `Your data in Gigvault is not affected. Sign in and connect ${name} again to resume the synchronisation:`,
      publicUrl,
      '',
      'This email is sent once for this connection.',
    ].join('\n'),
  };
}

/** Id of the task that sends recorded deliveries. */
export const SEND_DELIVERIES_TASK_ID = 'deliver-alerts';

/** Lease of a claimed delivery; longer than an attempt may take. */
const LEASE_SECONDS = 120;

/**
 * Delays after failed attempts in seconds, less up to a tenth. The delivery fails after the last one, more than a day
 * later.
 */
const RETRY_DELAYS_SECONDS = [60, 300, 1_800, 7_200, 18_000, 36_000, 36_000];

/** Maximum tests per webhook and minute. */
const MAX_TESTS_PER_MINUTE = 5;

/** Status by which a receiver unsubscribes. @see the Standard Webhooks specification, "Operational considerations" */
const HTTP_GONE = 410;

/** Records, sends, lists and retries the signed-in user's deliveries, by email or webhook. */
@Injectable()
export class DeliveriesService {
  private readonly logger = new Logger(DeliveriesService.name);

  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
    private readonly tasks: TaskRequestService,
    private readonly secrets: WebhookSecretsService,
    private readonly sender: WebhookSenderService,
    private readonly mailer: MailerService,
    private readonly config: Config,
  ) {}

  /** Requests that recorded deliveries are sent now instead of within a minute. Call it after the unit of work. */
  requestSending(): Promise<void> {
    return this.tasks.request(SEND_DELIVERIES_TASK_ID);
  }

  /** Returns one page of the deliveries of a webhook, newest first. @throws AppError `webhook.not_found` */
  async list(webhookId: number, query: PageQueryDto): Promise<Page<DeliveryDto>> {
    await this.assertWebhook(webhookId);
    const page = this.pages.open(query);
    const rows = await this.database.list<DeliveryRow>(...listDeliveries(webhookId, page.after, page.take));
    return page.of(rows, ({ id }) => [id], DeliveryDto.from);
  }

  /**
   * Records a test delivery for a webhook and requests its sending.
   * @throws AppError `webhook.not_found`; `rate.limited` with Retry-After beyond five in a minute
   */
  async sendTest(webhookId: number): Promise<DeliveryDto> {
    const payload = JSON.stringify({ message: 'A test: this webhook works.' });
    const row = await this.database.transaction(async (unit) => {
      const [webhook] = await unit.query(LOCK_WEBHOOK, [webhookId]);
      if (!webhook) throw new AppError('webhook.not_found');
      const [exhausted] = await unit.query<{ seconds: number }>(SECONDS_UNTIL_TEST_ALLOWED, [
        webhookId,
        MAX_TESTS_PER_MINUTE,
      ]);
      if (exhausted) throw buildTestLimitError(exhausted.seconds);
      const [recorded] = await unit.query<DeliveryRow>(RECORD_DELIVERY, [webhookId, 'webhook.test', payload]);
      return recorded!;
    });
    await this.requestSending();
    return DeliveryDto.from(row);
  }

  /**
   * Makes a failed delivery pending again and requests its sending.
   * @throws AppError `webhook.delivery_not_found`, `webhook.delivery_not_failed`
   */
  async retry(webhookId: number, id: number): Promise<DeliveryDto> {
    const [row] = await this.database.query<DeliveryRow>(RETRY_DELIVERY, [webhookId, id]);
    if (!row) {
      const [found] = await this.database.query(FIND_DELIVERY, [webhookId, id]);
      throw new AppError(found ? 'webhook.delivery_not_failed' : 'webhook.delivery_not_found');
    }
    await this.requestSending();
    return DeliveryDto.from(row);
  }

  /**
   * Sends one delivery if it is due and not claimed. Session: the user for whom the task works; the receiver is called
   * between units. If the worker dies in between, the delivery is sent twice under the same id.
   * @returns true when it arrived, false when it failed; undefined when it was not claimed
   */
  async deliver(id: number): Promise<boolean | undefined> {
    const owner = randomUUID();
    const [claimed] = await this.database.query<ClaimedDelivery>(CLAIM_DELIVERY, [id, owner, LEASE_SECONDS]);
    if (!claimed) return undefined;
    const result = await this.attempt(claimed);
    if (result.error === null) {
      await this.database.query(MARK_DELIVERED, [id, owner, result.status, claimed.webhookId]);
      return true;
    }
    await this.recordFailure(claimed, owner, result);
    return false;
  }

  private async recordFailure(
    { id, webhookId, attempts }: ClaimedDelivery,
    owner: string,
    result: SendResult,
  ): Promise<void> {
    const { status, error, retryAfterMs, hasTimedOut } = result;
    if (status === HTTP_GONE) await this.disableWebhook(webhookId);
    const pause = status === HTTP_GONE ? undefined : RETRY_DELAYS_SECONDS[attempts - 1];
    const retryAfterSeconds = retryAfterMs === undefined ? null : retryAfterMs / 1_000;
    const seconds = pause === undefined ? null : Math.max(pause * (1 - Math.random() / 10), retryAfterSeconds ?? 0);
    await this.database.query(RECORD_DELIVERY_FAILURE, [id, owner, status, error, seconds]);
    if (hasTimedOut || retryAfterSeconds !== null)
      await this.database.query(PAUSE_WEBHOOK, [webhookId, retryAfterSeconds]);
  }

  private async attempt(delivery: ClaimedDelivery): Promise<SendResult> {
    try {
      return await (delivery.webhookId === null
        ? this.sendEmail(delivery)
        : this.callWebhook(delivery.webhookId, delivery));
    } catch (error) {
      this.logger.error(`delivery ${delivery.id}: ${String(error)}`);
      return { status: null, error: 'An internal error occurred.' };
    }
  }

  private async sendEmail(delivery: ClaimedDelivery): Promise<SendResult> {
    const code = await this.mailer.deliverOnce(
      buildDeliveryEmail(delivery, this.config.http.publicUrl),
      delivery.eventId,
    );
    return { status: null, error: code === null ? null : `The mail server rejected the email (${code}).` };
  }

  private async callWebhook(
    webhookId: number,
    { eventId, eventType, payload, createdAt }: ClaimedDelivery,
  ): Promise<SendResult> {
    const webhook = await this.database.find(Webhook, webhookId);
    if (!webhook?.isActive) return { status: null, error: 'The webhook is disabled.' };
    const body = JSON.stringify({ type: eventType, timestamp: createdAt.toISOString(), data: payload });
    const message = { id: eventId, timestamp: Math.floor(Date.now() / 1_000), body };
    return this.sender.send(webhook.url, message, await this.secrets.decrypt(webhook));
  }

  private async disableWebhook(id: number | null): Promise<void> {
    if (id !== null) await this.database.change(Webhook, id, 'webhook.not_found', () => ({ isActive: false }));
  }

  private async assertWebhook(id: number): Promise<void> {
    if (!(await this.database.find(Webhook, id))) throw new AppError('webhook.not_found');
  }
}

function buildTestLimitError(seconds: number): AppError {
  return new AppError('rate.limited', {
    detail: `A webhook can be tested at most ${MAX_TESTS_PER_MINUTE} times a minute. Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}
