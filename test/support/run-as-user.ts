import { randomUUID } from 'node:crypto';
import { runInContext, type RequestContext } from '../../src/platform/context/request-context';

/** Runs `work` like a request of the user, without HTTP. */
export function runAsUser<T>(
  userId: number,
  work: () => Promise<T>,
  { role = 'user', ...context }: Partial<RequestContext> & { role?: 'user' | 'admin' } = {},
): Promise<T> {
  return runInContext(
    {
      requestId: randomUUID(),
      ip: '203.0.113.7',
      userAgent: 'a test',
      operation: 'a test',
      principal: { userId, role, sessionId: 'a session', recentAuthUntil: Date.now() + 600_000 },
      ...context,
    },
    work,
  );
}
