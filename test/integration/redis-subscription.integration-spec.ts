import { once } from 'node:events';
import { RedisClients, RedisSubscription } from '../../src/platform/redis/redis-clients';
import { buildTestConfig } from '../support/test-config';
import { createTestRedisUrl } from '../support/test-redis';
import { waitFor } from '../support/wait-for';

describe(RedisSubscription.name, () => {
  let clients: RedisClients;
  let subscription: RedisSubscription;
  let received: string[];
  let lost: number;

  beforeEach(async () => {
    clients = new RedisClients(buildTestConfig({ REDIS_URL: await createTestRedisUrl() }));
    received = [];
    lost = 0;
    subscription = new RedisSubscription(clients, {
      onMessage: (message, channel) => void received.push(`${channel}: ${message}`),
      onLost: () => void (lost += 1),
      impact: 'the test fails',
    });
  });
  afterEach(() => {
    subscription.close();
    clients.onApplicationShutdown();
  });

  const isActive = (): boolean => subscription.isActiveSince(Date.now());

  /** Publishes a message and returns once all messages before it have arrived. */
  async function publish(channel: string, message: string): Promise<void> {
    await clients.commands.publish(channel, message);
    await clients.subscriber.ping();
  }

  async function start(): Promise<void> {
    await clients.onModuleInit();
    subscription.open('one');
    await waitFor('the subscription', isActive);
  }

  it('receives the messages of its channels only', async () => {
    await start();
    await subscription.add('two');
    await clients.subscriber.subscribe('of another listener');

    await publish('one', 'a');
    await publish('of another listener', 'b');
    await publish('two', 'c');
    await subscription.remove('two');
    await publish('two', 'd');

    expect(received).toEqual(['one: a', 'two: c']);
  });

  it('begins once Redis is there', async () => {
    subscription.open('one');
    expect(isActive()).toBe(false);

    await clients.onModuleInit();
    await waitFor('the subscription', isActive);
    await publish('one', 'a');

    expect(received).toEqual(['one: a']);
  });

  it('subscribes again after a lost connection, and does not vouch for the time before', async () => {
    await start();
    await subscription.add('two');
    const before = Date.now();
    const closed = once(clients.subscriber, 'close');
    await clients.commands.client('KILL', 'ID', await clients.subscriber.client('ID'));
    await closed;
    expect([lost, subscription.isActiveSince(Date.now())]).toEqual([1, false]);

    await waitFor('the subscription', isActive);
    await publish('one', 'a');
    await publish('two', 'b');

    expect(received).toEqual(['one: a', 'two: b']);
    expect(subscription.isActiveSince(before)).toBe(false);
  });

  it('stays active when only the connection for commands is lost', async () => {
    await start();
    const closed = once(clients.commands, 'close');
    clients.commands.disconnect();
    await closed;

    expect([lost, isActive()]).toEqual([1, true]);
  });

  it('receives nothing after its end', async () => {
    await start();
    subscription.close();
    await publish('one', 'a');

    expect([received, lost, isActive()]).toEqual([[], 0, false]);
  });
});
