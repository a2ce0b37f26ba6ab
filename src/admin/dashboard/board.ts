import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { asAppError } from '../../platform/errors/problem';
import type { TaskEntry, TaskQueue } from '../../platform/queues/task-queue';
import { BOARD_SCRIPT } from './board-script';

/** bull-board's page has scripts of its own, an inline style and a <base>. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/** Its page asks another host for its typeface, which the policy forbids and nobody misses. */
const FOREIGN_FONTS = /<link href="https:\/\/fonts\.[^>]*>/g;

/**
 * Adds bull-board below a scope that asks for the sign-in. Read only: what is done to a queue behind the schedule's back
 * would leave no trace in task_runs or the security log.
 */
export function addBoard(scope: FastifyInstance, path: string, queue: TaskQueue): void {
  const adapter = new BullAdapter(queue.bull, { readOnlyMode: true });
  adapter.setFormatter('data', idsOf);
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
  // It answers what our own hooks refuse, too: an address that cannot be read is no fault of the queue.
  server.setErrorHandler((thrown) => {
    const { status, title } = asAppError(thrown);
    return status < 500
      ? { status: status as 400, body: { error: title } }
      : { status: 500, body: { error: 'The queue could not be read' } };
  });
  void scope.register(
    (board, _options, done) => {
      board.addHook('onRequest', async (_request, reply) => void reply.header('content-security-policy', POLICY));
      board.addHook('onSend', (_request, reply, payload, next) => {
        const isPage = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html');
        next(
          null,
          isPage
            ? payload
                .replace(FOREIGN_FONTS, '')
                .replace('</body>', `<script defer src="${path}/mend.js"></script></body>`)
            : payload,
        );
      });
      board.get('/mend.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(BOARD_SCRIPT));
      void board.register(server.registerPlugin());
      done();
    },
    { prefix: '/queues' },
  );
}

/** Entries hold ids only; should one ever hold more, the board does not show it. */
function idsOf(data: TaskEntry | undefined): TaskEntry {
  return data?.runId === undefined ? {} : { runId: data.runId };
}
