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
import { WebhookSecretsService } from './webhook-secrets.service';
import { WebhookSenderService, type SendResult } from './webhook-sender.service';

interface SavedSearchMatches {
  readonly searches: readonly { readonly name: string; readonly newMatches: number }[];
}

/** Returns an alert as a letter. @throws Error for a type of event that is never mailed */
export function buildDeliveryEmail({ eventType, payload, email: to }: ClaimedDelivery, publicUrl: string): Email {
  switch (eventType) {
    case 'saved_search.matched': {
      const { searches } = payload as unknown as SavedSearchMatches;
      const lines = searches.map(({ name, newMatches }) => `${name}: ${newMatches}`);
      return {
        to,
        subject: 'New vacancies for your saved searches',
        text: [...lines, '', `See them at ${publicUrl}`].join('\n'),
      };
    }
    case 'connection.reconnect_needed':
      return buildReconnectEmail(to, String(payload['provider']), publicUrl);
    default:
      throw new Error(`no letter tells of ${eventType}`);
  }
}

/** Tells the owner of a connection that only he can mend it. */
function buildReconnectEmail(to: string, provider: string, publicUrl: string): Email {
  const name = provider.charAt(0).toUpperCase() + provider.slice(1);
  return {
    to,
    subject: `Connect Gigvault to ${name} anew`,
    text: [
      `${name} no longer accepts the connection you gave Gigvault, so vacancies, proposals and messages are not synchronised.`,
      '',
      `Nothing you have here is lost. Sign in and connect ${name} again, and it goes on where it stopped:`,
      publicUrl,
      '',
      'You get this letter once for this connection.',
    ].join('\n'),
  };
}

/** The task that sends what is recorded. */
export const SEND_DELIVERIES_TASK_ID = 'deliver-alerts';

/** Longer than an attempt may take. */
const LEASE_SECONDS = 60;

/** Pauses after failed attempts, in seconds, less up to a tenth; after the last one it is given up, a good day later. */
const RETRY_DELAYS_SECONDS = [60, 300, 1_800, 7_200, 18_000, 36_000, 36_000];

/** Of a webhook. */
const MAX_TESTS_PER_MINUTE = 5;

/** By this a receiver says that it wants no more. @see the Standard Webhooks specification, "Operational considerations" */
const HTTP_GONE = 410;

/** Sends the signed-in user's alerts from their records, by mail or webhook, and shows what was sent. */
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

  /** Has a worker send now what is recorded; without it, it is sent within a minute. Call it after the unit of work. */
  requestSending(): Promise<void> {
    return this.tasks.request(SEND_DELIVERIES_TASK_ID);
  }

  /** Returns one page of what a webhook was sent, newest first. @throws AppError `webhook.not_found` */
  async list(webhookId: number, query: PageQueryDto): Promise<Page<DeliveryDto>> {
    await this.assertWebhook(webhookId);
    const page = this.pages.open(query);
    const rows = await this.database.list<DeliveryRow>(...listDeliveries(webhookId, page.after, page.take));
    return page.of(rows, ({ id }) => [id], DeliveryDto.from);
  }

  /**
   * Records a test message for a webhook and has it sent.
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

  /** Has a delivery that was given up sent anew. @throws AppError `webhook.delivery_not_found`, `webhook.delivery_not_failed` */
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
   * Sends one alert that is due, unless another worker has it. Session: user, for whom a task works; the outside is called
   * between units. A worker that dies in between sends it twice, under the same id.
   * @returns whether it arrived; undefined when it was not to be sent
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
      this.logger.error(`alert ${delivery.id}: ${String(error)}`);
      return { status: null, error: 'something went wrong on our side' };
    }
  }

  private async sendEmail(delivery: ClaimedDelivery): Promise<SendResult> {
    const code = await this.mailer.deliverOnce(
      buildDeliveryEmail(delivery, this.config.http.publicUrl),
      delivery.eventId,
    );
    return { status: null, error: code === null ? null : `the mail server did not take it (${code})` };
  }

  private async callWebhook(
    webhookId: number,
    { eventId, eventType, payload, createdAt }: ClaimedDelivery,
  ): Promise<SendResult> {
    const webhook = await this.database.find(Webhook, webhookId);
    if (!webhook?.isActive) return { status: null, error: 'the webhook is switched off' };
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
    detail: `A webhook is tested at most ${MAX_TESTS_PER_MINUTE} times a minute. Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}
