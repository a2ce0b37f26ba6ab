import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { asAppError } from '../../platform/errors/problem.filter';
import type { TaskEntry, TaskQueue } from '../../platform/queues/task-queue';

/**
 * Script that improves bull-board's page as it changes: names for icon-only buttons, a missing heading, and a visible link
 * back. It relies on elements and icons, not on the page's own classes.
 */
export const BOARD_SCRIPT = `'use strict';
(() => {
  const names = { maximize: 'Full screen', settings: 'Settings', 'circle-user': 'Links', 'ellipsis-vertical': 'Actions', copy: 'Copy' };
  const getName = (button) => {
    const icon = /lucide-([a-z-]+)/.exec(button.querySelector('svg')?.getAttribute('class') ?? '')?.[1] ?? '';
    return names[icon] ?? (icon.replaceAll('-', ' ') || 'Button');
  };
  const addNames = () => {
    for (const button of document.querySelectorAll('button:not([aria-label], [aria-labelledby], [title])')) {
      if (button.textContent.trim() === '') button.setAttribute('aria-label', getName(button));
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
  const enhance = () => { addNames(); addHeading(); addLink(); };
  new MutationObserver(enhance).observe(document.body, { childList: true, subtree: true });
  enhance();
})();
`;

/** Allows what bull-board's page needs: its own scripts, an inline style and a <base>. */
const BULL_BOARD_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/** The page loads its font from another host, which the policy forbids. */
const EXTERNAL_FONTS = /<link href="https:\/\/fonts\.[^>]*>/g;

/**
 * Registers bull-board in a scope that requires the sign-in. Read only: changes to the queue would bypass task_runs and the
 * security log.
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

/** Keeps only the run's id, in case an entry ever contains more. */
function keepRunId(data: TaskEntry | undefined): TaskEntry {
  return data?.runId === undefined ? {} : { runId: data.runId };
}
