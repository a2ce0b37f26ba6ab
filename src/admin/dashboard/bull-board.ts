import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { asAppError } from '../../platform/errors/problem.filter';
import type { TaskEntry, TaskQueue } from '../../platform/queues/task-queue';

/**
 * What bull-board's page leaves out, added as the page changes: names of the buttons that show an icon alone, a heading
 * where there is none, and a link back that is visible. It relies on elements and icons, not on the page's own classes.
 */
export const BOARD_SCRIPT = `'use strict';
(() => {
  const names = { maximize: 'Full screen', settings: 'Settings', 'circle-user': 'Links', 'ellipsis-vertical': 'Actions', copy: 'Copy' };
  const nameOf = (button) => {
    const icon = /lucide-([a-z-]+)/.exec(button.querySelector('svg')?.getAttribute('class') ?? '')?.[1] ?? '';
    return names[icon] ?? (icon.replaceAll('-', ' ') || 'Button');
  };
  const addNames = () => {
    for (const button of document.querySelectorAll('button:not([aria-label], [aria-labelledby], [title])')) {
      if (button.textContent.trim() === '') button.setAttribute('aria-label', nameOf(button));
    }
  };
  const addHeading = () => {
    const own = document.getElementById('board-heading');
    const others = document.querySelectorAll('h1:not(#board-heading)').length;
    if (own && others > 0) own.remove();
    const main = document.querySelector('main');
    if (own || others > 0 || !main) return;
    const heading = Object.assign(document.createElement('h1'), { id: 'board-heading', textContent: 'Queue' });
    heading.style.cssText = 'position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap';
    main.prepend(heading);
  };
  const addLink = () => {
    const list = document.querySelector('header ul');
    if (!list || document.getElementById('board-back')) return;
    const link = Object.assign(document.createElement('a'), { id: 'board-back', href: '/admin', textContent: 'Back to the dashboard' });
    link.style.cssText = 'display:block;width:min-content;min-width:5rem;color:inherit;text-decoration:underline';
    const item = document.createElement('li');
    item.style.cssText = 'align-self:center;font-size:.85rem;line-height:1.2';
    item.append(link);
    list.prepend(item);
  };
  const mend = () => { addNames(); addHeading(); addLink(); };
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
  mend();
})();
`;

/** bull-board's page has scripts of its own, an inline style and a <base>. */
const BULL_BOARD_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/** Its page asks another host for its typeface, which the policy forbids and nobody misses. */
const EXTERNAL_FONTS = /<link href="https:\/\/fonts\.[^>]*>/g;

/**
 * Adds bull-board below a scope that asks for the sign-in. Read only: what is done to a queue behind the schedule's back
 * would leave no trace in task_runs or the security log.
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
  // It answers what our own hooks refuse, too: an address that cannot be read is no fault of the queue.
  server.setErrorHandler((thrown) => {
    const { status, title } = asAppError(thrown);
    return status < 500
      ? { status: status as 400, body: { error: title } }
      : { status: 500, body: { error: 'The queue could not be read' } };
  });
  void scope.register(
    (board, _options, done) => {
      board.addHook(
        'onRequest',
        async (_request, reply) => void reply.header('content-security-policy', BULL_BOARD_POLICY),
      );
      board.addHook('onSend', (_request, reply, payload, next) => {
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
      board.get('/mend.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(BOARD_SCRIPT));
      void board.register(server.registerPlugin());
      done();
    },
    { prefix: '/queues' },
  );
}

/** Entries hold ids only; should one ever hold more, the board does not show it. */
function keepRunId(data: TaskEntry | undefined): TaskEntry {
  return data?.runId === undefined ? {} : { runId: data.runId };
}
