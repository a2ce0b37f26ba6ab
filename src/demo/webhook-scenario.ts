import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, ApiError, isLocalServer } from './api-client';
import type { Terminal } from './terminal';

interface Page<T> {
  readonly items: readonly T[];
}

interface Webhook {
  readonly id: number;
}

interface Delivery {
  readonly status: string;
  readonly responseStatus: number | null;
  readonly lastError: string | null;
}

/** Limit for a test message; a worker sends it. */
const DELIVERY_TIMEOUT_MS = 60_000;

/** A webhook whose receiver is the demo itself. Works for a server on this machine that allows loopback addresses. */
export class WebhookScenario {
  constructor(
    private readonly api: ApiClient,
    private readonly terminal: Terminal,
  ) {}

  /** Receives a test message, then disables the webhook, because its receiver ends with the demo. */
  async run(): Promise<void> {
    this.terminal.printHeading('A webhook');
    if (!isLocalServer(this.api.baseUrl)) {
      this.terminal.printLine('left out: a server on another machine cannot call the demo');
      return;
    }
    const receiver = await this.startReceiver();
    try {
      const webhook = await this.openWebhook(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/gigvault`);
      if (!webhook) return;
      await this.sendTest(webhook);
      await this.api.patch(`/v1/webhooks/${webhook.id}`, { isActive: false });
    } finally {
      receiver.close();
    }
  }

  private async startReceiver(): Promise<Server> {
    const receiver = createServer((request, response) => {
      this.terminal.printLine(`received, with webhook-signature: ${String(request.headers['webhook-signature'])}`);
      request.resume();
      response.writeHead(204, { connection: 'close' }).end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** Creates the webhook, or enables the one of an earlier run at the new address. */
  private async openWebhook(url: string): Promise<Webhook | undefined> {
    const { items } = await this.api.get<Page<Webhook>>('/v1/webhooks?limit=1');
    try {
      return items[0]
        ? await this.api.patch<Webhook>(`/v1/webhooks/${items[0].id}`, { url, isActive: true })
        : await this.api.post<Webhook>('/v1/webhooks', { url });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'webhook.url_refused') throw error;
      this.terminal.printLine(`left out: ${error.message}`);
      return undefined;
    }
  }

  private async sendTest({ id }: Webhook): Promise<void> {
    await this.api.post(`/v1/webhooks/${id}/test`);
    const until = Date.now() + DELIVERY_TIMEOUT_MS;
    for (;;) {
      const { items } = await this.api.get<Page<Delivery>>(`/v1/webhooks/${id}/deliveries?limit=1`);
      const [delivery] = items;
      if (delivery?.status === 'delivered') {
        this.terminal.printSuccess(
          `webhook #${id}: the test message is delivered, answered ${delivery.responseStatus}`,
        );
        return;
      }
      const problem = delivery?.lastError ?? (Date.now() > until ? 'not delivered yet. Does a worker run?' : null);
      if (problem !== null) return this.terminal.printLine(`webhook #${id}: ${problem}`);
      await sleep(100);
    }
  }
}
