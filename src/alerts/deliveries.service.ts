import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import type { PageQueryDto } from '../platform/http/page-query.dto';
import { Mailer } from '../platform/mail/mailer.service';
import { TaskRequests } from '../platform/scheduler/task-requests';
import { alertMail } from './alert-mails';
import {
  CLAIM_DELIVERY,
  DELIVERED,
  HAS_DELIVERY,
  listDeliveries,
  LOCK_WEBHOOK,
  NOT_DELIVERED,
  PAUSE_WEBHOOK,
  RECORD_DELIVERY,
  RETRY_DELIVERY,
  TESTS_EXHAUSTED,
  type DeliveryRow,
  type TakenDelivery,
} from './deliveries.queries';
import { DeliveryDto } from './dto/delivery.dto';
import { Webhook } from './webhook.entity';
import { WebhookSecrets } from './webhook-secrets.service';
import { WebhookSender, type SendResult } from './webhook-sender.service';

/** The task that sends what is recorded. */
export const DELIVER_ALERTS_ID = 'deliver-alerts';

/** Longer than an attempt may take. */
const LEASE_SECONDS = 60;

/** Pauses after failed attempts, in seconds, less up to a tenth; after the last one it is given up, a good day later. */
const PAUSES = [60, 300, 1_800, 7_200, 18_000, 36_000, 36_000];

/** Of a webhook. */
const TESTS_A_MINUTE = 5;

/** By this a receiver says that it wants no more. @see the Standard Webhooks specification, "Operational considerations" */
const GONE = 410;

/** Sends the signed-in user's alerts from their records, by mail or webhook, and shows what was sent. */
@Injectable()
export class Deliveries {
  private readonly logger = new Logger(Deliveries.name);

  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
    private readonly tasks: TaskRequests,
    private readonly secrets: WebhookSecrets,
    private readonly sender: WebhookSender,
    private readonly mailer: Mailer,
    private readonly config: Config,
  ) {}

  /** Has a worker send now what is recorded; without it, it is sent within a minute. Call it after the unit of work. */
  wake(): Promise<void> {
    return this.tasks.ask(DELIVER_ALERTS_ID);
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
  async test(webhookId: number): Promise<DeliveryDto> {
    const payload = JSON.stringify({ message: 'A test: this webhook works.' });
    const row = await this.database.unit(async (unit) => {
      const [webhook] = await unit.query(LOCK_WEBHOOK, [webhookId]);
      if (!webhook) throw new AppError('webhook.not_found');
      const [exhausted] = await unit.query<{ seconds: number }>(TESTS_EXHAUSTED, [webhookId, TESTS_A_MINUTE]);
      if (exhausted) throw tooManyTests(exhausted.seconds);
      const [recorded] = await unit.query<DeliveryRow>(RECORD_DELIVERY, [webhookId, 'webhook.test', payload]);
      return recorded!;
    });
    await this.wake();
    return DeliveryDto.from(row);
  }

  /** Has a delivery that was given up sent anew. @throws AppError `webhook.delivery_not_found`, `webhook.delivery_not_failed` */
  async retry(webhookId: number, id: number): Promise<DeliveryDto> {
    const [row] = await this.database.query<DeliveryRow>(RETRY_DELIVERY, [webhookId, id]);
    if (!row) {
      const [found] = await this.database.query(HAS_DELIVERY, [webhookId, id]);
      throw new AppError(found ? 'webhook.delivery_not_failed' : 'webhook.delivery_not_found');
    }
    await this.wake();
    return DeliveryDto.from(row);
  }

  /**
   * Sends one alert that is due, unless another worker has it. Session: user, for whom a task works; the outside is called
   * between units. A worker that dies in between sends it twice, under the same id.
   * @returns whether it arrived; undefined when it was not to be sent
   */
  async deliver(id: number): Promise<boolean | undefined> {
    const owner = randomUUID();
    const [taken] = await this.database.query<TakenDelivery>(CLAIM_DELIVERY, [id, owner, LEASE_SECONDS]);
    if (!taken) return undefined;
    const result = await this.send(taken);
    if (result.error === null) {
      await this.database.query(DELIVERED, [id, owner, result.status, taken.webhookId]);
      return true;
    }
    await this.noteFailure(taken, owner, result);
    return false;
  }

  private async noteFailure(
    { id, webhookId, attempts }: TakenDelivery,
    owner: string,
    result: SendResult,
  ): Promise<void> {
    const { status, error, retryAfterMs, hasTimedOut } = result;
    if (status === GONE) await this.switchOff(webhookId);
    const pause = status === GONE ? undefined : PAUSES[attempts - 1];
    const askedFor = retryAfterMs === undefined ? null : retryAfterMs / 1_000;
    const seconds = pause === undefined ? null : Math.max(pause * (1 - Math.random() / 10), askedFor ?? 0);
    await this.database.query(NOT_DELIVERED, [id, owner, status, error, seconds]);
    if (hasTimedOut || askedFor !== null) await this.database.query(PAUSE_WEBHOOK, [webhookId, askedFor]);
  }

  private async send(delivery: TakenDelivery): Promise<SendResult> {
    try {
      return await (delivery.webhookId === null ? this.mail(delivery) : this.call(delivery.webhookId, delivery));
    } catch (error) {
      this.logger.error(`alert ${delivery.id}: ${String(error)}`);
      return { status: null, error: 'something went wrong on our side' };
    }
  }

  private async mail(delivery: TakenDelivery): Promise<SendResult> {
    const code = await this.mailer.deliverOnce(alertMail(delivery, this.config.http.publicUrl), delivery.eventId);
    return { status: null, error: code === null ? null : `the mail server did not take it (${code})` };
  }

  private async call(
    webhookId: number,
    { eventId, eventType, payload, createdAt }: TakenDelivery,
  ): Promise<SendResult> {
    const webhook = await this.database.find(Webhook, webhookId);
    if (!webhook?.isActive) return { status: null, error: 'the webhook is switched off' };
    const body = JSON.stringify({ type: eventType, timestamp: createdAt.toISOString(), data: payload });
    const message = { id: eventId, timestamp: Math.floor(Date.now() / 1_000), body };
    return this.sender.send(webhook.url, message, await this.secrets.open(webhook));
  }

  private async switchOff(id: number | null): Promise<void> {
    if (id !== null) await this.database.change(Webhook, id, 'webhook.not_found', () => ({ isActive: false }));
  }

  private async assertWebhook(id: number): Promise<void> {
    if (!(await this.database.find(Webhook, id))) throw new AppError('webhook.not_found');
  }
}

function tooManyTests(seconds: number): AppError {
  return new AppError('rate.limited', {
    detail: `A webhook is tested at most ${TESTS_A_MINUTE} times a minute. Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}
