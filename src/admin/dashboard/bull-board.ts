import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { asAppError } from '../../platform/errors/problem.filter';
import type { TaskEntry, TaskQueue } from '../../platform/queues/task-queue';
import { sendAsset } from './responses';

/** Allows what bull-board's page needs: its own scripts, an inline style and a <base>. */
const BULL_BOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page loads its font from another host, which the policy forbids. */
const EXTERNAL_FONTS = /<link href="https:\/\/fonts\.[^>]*>/g;

/**
 * Registers bull-board in a scope that requires the sign-in. Read only: changes to the queue would bypass task_runs and
 * the security log.
 */
export function registerBullBoard(scope: FastifyInstance, path: string, queue: TaskQueue): void {
  const adapter = new BullAdapter(queue.bull, { readOnlyMode: true });
  adapter.setFormatter('data', keepRunId);
  adapter.setFormatter('returnValue', () => null);
  const server = new FastifyAdapter();
  server.setBasePath(path);
  createBullBoard({
    queues: [adapter],
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: 'Gigvault',
        hideRedisDetails: true,
        hideDocsLink: true,
        miscLinks: [{ text: 'Back to the dashboard', url: '/admin' }],
      },
    },
  });
  // It also handles requests that our hooks refuse: a malformed URL is no fault of the queue.
  server.setErrorHandler((thrown) => {
    const { status, title } = asAppError(thrown);
    return status < 500
      ? { status: status as 400, body: { error: title } }
      : { status: 500, body: { error: 'The queue could not be read' } };
  });
  const board: FastifyPluginCallback = (pages, _options, done) => {
    pages.addHook(
      'onRequest',
      async (_request, reply) => void reply.header('content-security-policy', BULL_BOARD_POLICY),
    );
    pages.addHook('onSend', (_request, reply, payload, next) => {
      const isPage = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html');
      next(
        null,
        isPage
          ? payload
              .replace(EXTERNAL_FONTS, '')
              .replace('</body>', `<script defer src="${path}/mend.js"></script></body>`)
          : payload,
      );
    });
    pages.get('/mend.js', (_request, reply) => sendAsset(reply, 'bull-board.js'));
    void pages.register(fastifyPlugin(server.registerPlugin(), { name: 'bull-board', encapsulate: true }));
    done();
  };
  void scope.register(fastifyPlugin(board, { name: 'queues', encapsulate: true }), { prefix: '/queues' });
}

/** Keeps only the run's id, in case an entry ever contains more. */
function keepRunId(data: TaskEntry | undefined): TaskEntry {
  return data?.runId === undefined ? {} : { runId: data.runId };
}
