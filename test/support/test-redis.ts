import Redis from 'ioredis';
import { testServices } from './test-services';

/** The number of databases of a test run's server; number 0 only has the counter. */
const DATABASES = 512;

/** Returns the URL of an empty Redis database for the caller. */
export async function createTestRedisUrl(): Promise<string> {
  const url = testServices().redis;
  const client = new Redis(url);
  try {
    const number = 1 + ((await client.incr('next-database')) % (DATABASES - 1));
    await client.select(number);
    await client.flushdb();
    return url.replace(/\/0$/, `/${number}`);
  } finally {
    client.disconnect();
  }
}
