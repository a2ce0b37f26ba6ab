import { Injectable } from '@nestjs/common';
import { Conditions } from '../platform/database/conditions';
import { buildSelectList } from '../platform/database/base.entity';
import { listFields } from '../platform/http/openapi/dto-fields';
import { currentUserId } from '../platform/http/access/access';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { type CreateWebhookDto, NewWebhookDto, type UpdateWebhookDto, WebhookDto } from './webhooks.dto';
import {
  AddressRefusedError,
  assertAllowedUrl,
  WebhookSenderService,
  WebhookSecretsService,
} from './webhook-sender.service';
import { Webhook } from './webhook.entity';

const COLUMNS = buildSelectList(Webhook, listFields(WebhookDto));

/** Manages the signed-in user's webhooks. A secret is returned only by the call that generates it. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
    private readonly secrets: WebhookSecretsService,
    private readonly sender: WebhookSenderService,
  ) {}

  /** Creates a webhook and its secret. One audit row, secret redacted. @throws AppError `webhook.url_refused` */
  async create({ url }: CreateWebhookDto): Promise<NewWebhookDto> {
    const userId = currentUserId();
    this.assertUrl(url);
    const { secret, encrypted } = await this.secrets.generate(userId);
    const webhook = await this.database.transaction((unit) => unit.repository(Webhook).insert({ url, ...encrypted }));
    return { ...WebhookDto.from(webhook), secret };
  }

  /** Returns one page of the webhooks, oldest first. One statement. */
  async list(query: PageQueryDto): Promise<Page<WebhookDto>> {
    const page = this.pages.open(query);
    const conditions = new Conditions().after('id', '>', ['bigint'], page.after);
    const limit = conditions.value(page.take);
    const sql = `SELECT ${COLUMNS} FROM webhooks ${conditions.where} ORDER BY id LIMIT ${limit}`;
    const rows = await this.database.query<WebhookDto>(sql, conditions.values);
    return page.of(rows, ({ id }) => [id], WebhookDto.from);
  }

  /** Returns one webhook. @throws AppError `webhook.not_found` */
  async get(id: number): Promise<WebhookDto> {
    return WebhookDto.from(await this.load(id));
  }

  /**
   * Applies a merge patch.
   * @throws AppError `webhook.not_found`, `webhook.url_refused`, `precondition.failed`
   */
  async update(id: number, dto: UpdateWebhookDto, ifMatch?: Preconditions): Promise<WebhookDto> {
    if (dto.url !== undefined) this.assertUrl(dto.url);
    const changed = await this.database.change(Webhook, id, 'webhook.not_found', (webhook) => {
      assertVersion(webhook, ifMatch);
      return dto;
    });
    return WebhookDto.from(changed);
  }

  /**
   * Generates a new secret; the previous one also signs for a day.
   * @throws AppError `webhook.not_found`, `precondition.failed`, `conflict.concurrent`
   */
  async rotateSecret(id: number, ifMatch?: Preconditions): Promise<NewWebhookDto> {
    const before = await this.load(id);
    assertVersion(before, ifMatch);
    const { secret, encrypted } = await this.secrets.generate(before.userId, before);
    const changed = await this.database.change(Webhook, id, 'webhook.not_found', (webhook) => {
      // A parallel rotation: this secret was encrypted with an outdated previous secret.
      if (webhook.version !== before.version) throw new AppError('conflict.concurrent');
      return encrypted;
    });
    return { ...WebhookDto.from(changed), secret };
  }

  /**
   * Deletes a webhook and its deliveries; searches that used it send emails again.
   * @throws AppError `webhook.not_found`, `precondition.failed`
   */
  remove(id: number, ifMatch?: Preconditions): Promise<void> {
    return this.database.remove(Webhook, id, 'webhook.not_found', (webhook) => assertVersion(webhook, ifMatch));
  }

  private async load(id: number): Promise<Webhook> {
    const webhook = await this.database.find(Webhook, id);
    if (!webhook) throw new AppError('webhook.not_found');
    return webhook;
  }

  private assertUrl(url: string): void {
    try {
      assertAllowedUrl(url, this.sender.addressPolicy);
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
