import { Logger } from '@nestjs/common';
import type { RedisClients } from './redis-clients';

/** The listener of a subscription. */
export interface SubscriptionListener {
  onMessage(message: string, channel: string): void;
  /** Called when a connection is lost: messages may be missed, and Redis may come back without its latest writes. */
  onLost?(): void;
  /** What happens without messages, for the log: "ended sessions are noticed within a second". */
  readonly impact: string;
}

/**
 * The subscriptions of one listener on the connection that all listeners of this process share. Subscribes again after
 * each reconnection.
 */
export class RedisSubscription {
  private readonly logger = new Logger(RedisSubscription.name);
  private readonly channels = new Set<string>();
  private activeSince = Infinity;
  private lastError = '';

  constructor(
    private readonly clients: RedisClients,
    private readonly listener: SubscriptionListener,
  ) {}

  /** Starts listening to a channel. Without Redis it starts after the connection. */
  open(channel: string): void {
    const { commands, subscriber } = this.clients;
    subscriber.on('message', this.onMessage);
    subscriber.on('ready', this.subscribeAll);
    subscriber.on('close', this.deactivate);
    for (const client of [commands, subscriber]) client.on('close', this.onLost);
    this.channels.add(channel);
    this.subscribeAll();
  }

  /** Stops listening. */
  close(): void {
    const { commands, subscriber } = this.clients;
    subscriber.off('message', this.onMessage);
    subscriber.off('ready', this.subscribeAll);
    subscriber.off('close', this.deactivate);
    for (const client of [commands, subscriber]) client.off('close', this.onLost);
    this.channels.clear();
    this.deactivate();
  }

  /** Adds a channel. Resolves when Redis has confirmed it. */
  async add(channel: string): Promise<void> {
    this.channels.add(channel);
    await this.clients.subscriber.subscribe(channel);
  }

  /** Removes a channel. Ignores errors: without a connection there is no subscription. */
  async remove(channel: string): Promise<void> {
    this.channels.delete(channel);
    await this.clients.subscriber.unsubscribe(channel).catch(() => undefined);
  }

  /** Returns whether every message since `time` (Date.now()) has arrived. */
  isActiveSince(time: number): boolean {
    return this.activeSince < time && this.clients.subscriber.status === 'ready';
  }

  private readonly onMessage = (channel: string, message: string): void => {
    if (this.channels.has(channel)) this.listener.onMessage(message, channel);
  };

  private readonly onLost = (): void => this.listener.onLost?.();

  private readonly deactivate = (): void => {
    this.activeSince = Infinity;
  };

  private readonly subscribeAll = (): void => {
    this.clients.subscriber.subscribe(...this.channels).then(
      () => {
        this.activeSince = Math.min(this.activeSince, Date.now());
        this.lastError = '';
      },
      (error: Error) => this.warn(error),
    );
  };

  /** Logs an error unless it repeats the last one. */
  private warn({ message }: Error): void {
    if (message !== this.lastError) this.logger.warn(`no messages from Redis: ${message}; ${this.listener.impact}`);
    this.lastError = message;
  }
}
