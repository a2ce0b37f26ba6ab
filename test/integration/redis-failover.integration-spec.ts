import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { findRedisProgram } from '../../src/local-services/embedded-redis';
import { findFreePort } from '../../src/local-services/managed-process';
import { RedisClients } from '../../src/platform/redis/redis-clients';
import { createCertificates, type Certificates } from '../support/certificates';
import { buildTestConfig } from '../support/test-config';
import { RedisGroup } from '../support/redis-group';
import { waitFor } from '../support/wait-for';

describe('Redis with Sentinel', () => {
  let group: RedisGroup;
  let clients: RedisClients;

  beforeEach(async () => {
    group = new RedisGroup();
    await group.start();
    clients = new RedisClients(buildTestConfig(group.settings));
    await clients.onModuleInit();
  });
  afterEach(async () => {
    clients.onApplicationShutdown();
    await group.stop();
  });

  const write = (value: string) => clients.commands.set('written', value).catch(() => undefined);

  it.each(['SIGKILL', 'SIGSTOP'] as const)('follows the primary after a failover: %s', async (signal) => {
    await waitFor('both replicas are in step', () => write('before'));
    const first = await group.findPrimaryPort();

    group.signal(first, signal);

    await waitFor('Sentinel has another primary', async () => (await group.findPrimaryPort()) !== first);
    await waitFor('the new primary accepts a write', () => write('after'));
    expect(await group.command(await group.findPrimaryPort(), 'GET', 'written')).toBe('after');
    await waitFor('the subscriber is connected', () => clients.subscriber.status === 'ready');
  });
});

describe('Redis with TLS', () => {
  let certificates: Certificates;
  let other: Certificates;
  let server: ChildProcess;
  let port: number;

  beforeAll(async () => {
    certificates = createCertificates('DNS:localhost', 'IP:127.0.0.1');
    other = createCertificates('DNS:localhost');
    port = await findFreePort();
    const { command, libraries } = await findRedisProgram();
    const tls = { 'tls-port': port, 'tls-cert-file': certificates.certificate, 'tls-key-file': certificates.key };
    const settings = { ...tls, 'tls-ca-cert-file': certificates.ca, 'tls-auth-clients': 'no', port: 0, save: '' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    server = spawn(command, args, { env: { LD_LIBRARY_PATH: libraries }, stdio: 'ignore' });
  });
  afterAll(async () => {
    server.kill('SIGKILL');
    await once(server, 'exit');
    certificates.remove();
    other.remove();
  });

  async function connect(host: string, caFile?: string): Promise<string> {
    const clients = new RedisClients(
      buildTestConfig({ REDIS_URL: `rediss://${host}:${port}`, ...(caFile && { REDIS_CA_FILE: caFile }) }),
    );
    let reason = '';
    clients.commands.on('error', (error: NodeJS.ErrnoException) => (reason = error.code ?? error.message));
    try {
      await clients.commands.connect().catch(() => undefined);
      return await clients.commands.ping().catch(() => reason);
    } finally {
      clients.onApplicationShutdown();
    }
  }

  it('trusts the authority of REDIS_CA_FILE only', async () => {
    await waitFor('Redis answers', async () => (await connect('localhost', certificates.ca)) === 'PONG');

    expect(await connect('127.0.0.1', certificates.ca)).toBe('PONG');
    expect(await connect('localhost')).toMatch(/SELF_SIGNED_CERT|UNABLE_TO/);
    expect(await connect('localhost', other.ca)).toMatch(/CERT|UNABLE_TO|VERIFY/);
  });
});
