import { Injectable } from '@nestjs/common';
import { Conditions } from '../platform/database/conditions';
import { ownId } from '../users/own-id';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/if-match';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import type { PageQueryDto } from '../platform/http/page-query.dto';
import type { CreateWebhookDto } from './dto/create-webhook.dto';
import { NewWebhookDto } from './dto/new-webhook.dto';
import type { UpdateWebhookDto } from './dto/update-webhook.dto';
import { WebhookDto } from './dto/webhook.dto';
import { AddressRefusedError, assertReachable } from './reachable-address';
import { Webhook } from './webhook.entity';
import { WebhookSecrets } from './webhook-secrets.service';
import { WebhookSender } from './webhook-sender.service';

const COLUMNS = `id, user_id AS "userId", url, is_active AS "isActive", previous_secret_until AS "previousSecretUntil", version,
  created_at AS "createdAt", updated_at AS "updatedAt"`;

/** The signed-in user's webhooks. A secret leaves the server in the answer that makes it, and never again. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
    private readonly secrets: WebhookSecrets,
    private readonly sender: WebhookSender,
  ) {}

  /** Makes a webhook and its secret. One audit row, the secret redacted. @throws AppError `webhook.url_refused` */
  async create({ url }: CreateWebhookDto): Promise<NewWebhookDto> {
    const userId = ownId();
    this.assertUrl(url);
    const { secret, sealed } = await this.secrets.make(userId);
    const webhook = await this.database.unit((unit) => unit.of(Webhook).insert({ url, ...sealed }));
    return { ...WebhookDto.from(webhook), secret };
  }

  /** Returns one page of the webhooks, oldest first. One statement. */
  async list(query: PageQueryDto): Promise<Page<WebhookDto>> {
    const page = this.pages.open(query);
    const conditions = new Conditions().after('id', '>', ['bigint'], page.after);
    const limit = conditions.value(page.take);
    const sql = `SELECT ${COLUMNS} FROM webhooks ${conditions.where} ORDER BY id LIMIT ${limit}`;
    const rows = await this.database.query<Webhook>(sql, conditions.values);
    return page.of(rows, ({ id }) => [id], WebhookDto.from);
  }

  /** Returns one webhook. @throws AppError `webhook.not_found` */
  async get(id: number): Promise<WebhookDto> {
    return WebhookDto.from(await this.find(id));
  }

  /** Changes a webhook as the merge patch says. @throws AppError `webhook.not_found`, `webhook.url_refused`, `precondition.failed` */
  async update(id: number, dto: UpdateWebhookDto, ifMatch?: Preconditions): Promise<WebhookDto> {
    if (dto.url !== undefined) this.assertUrl(dto.url);
    const changed = await this.database.change(Webhook, id, 'webhook.not_found', (webhook) => {
      assertVersion(webhook, ifMatch);
      return dto;
    });
    return WebhookDto.from(changed);
  }

  /** Makes a new secret; the one before signs beside it for a day. @throws AppError `webhook.not_found`, `precondition.failed` */
  async rotateSecret(id: number, ifMatch?: Preconditions): Promise<NewWebhookDto> {
    const before = await this.find(id);
    assertVersion(before, ifMatch);
    const { secret, sealed } = await this.secrets.make(before.userId, before);
    const changed = await this.database.change(Webhook, id, 'webhook.not_found', (webhook) => {
      // Of two rotations at once the second would seal a secret that is no longer the one before.
      if (webhook.version !== before.version) throw new AppError('conflict.concurrent');
      return sealed;
    });
    return { ...WebhookDto.from(changed), secret };
  }

  /** Deletes a webhook and the log of what it was sent; searches that used it mail again. @throws AppError `webhook.not_found`, `precondition.failed` */
  remove(id: number, ifMatch?: Preconditions): Promise<void> {
    return this.database.unit(async (unit) => {
      const webhooks = unit.of(Webhook);
      const webhook = await webhooks.find(id, { lock: true });
      if (!webhook) throw new AppError('webhook.not_found');
      assertVersion(webhook, ifMatch);
      await webhooks.remove(webhook);
    });
  }

  private async find(id: number): Promise<Webhook> {
    const webhook = await this.database.find(Webhook, id);
    if (!webhook) throw new AppError('webhook.not_found');
    return webhook;
  }

  private assertUrl(url: string): void {
    try {
      assertReachable(url, this.sender.reach);
    } catch (error) {
      if (!(error instanceof AddressRefusedError)) throw error;
      const { message } = error;
      throw new AppError('webhook.url_refused', {
        detail: message,
        errors: [{ pointer: '/url', code: 'webhook.url_refused', message }],
      });
    }
  }
}
