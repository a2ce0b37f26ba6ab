import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyReply } from 'fastify';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

/** The files that pages load, with their media types. The build copies them. */
const ASSETS = {
  'dashboard.css': readAsset('dashboard.css', 'text/css'),
  'dashboard.js': readAsset('dashboard.js', 'text/javascript'),
  'bull-board.js': readAsset('bull-board.js', 'text/javascript'),
} as const;

function readAsset(name: string, mediaType: string): { readonly text: string; readonly mediaType: string } {
  return { text: readFileSync(join(__dirname, 'assets', name), 'utf8'), mediaType: `${mediaType}; charset=utf-8` };
}

/** Sends a style sheet or a script. */
export function sendAsset(reply: FastifyReply, name: keyof typeof ASSETS): FastifyReply {
  const { text, mediaType } = ASSETS[name];
  return reply.type(mediaType).send(text);
}

/** Sends a page. */
export function sendPage(reply: FastifyReply, page: VNode): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(`<!doctype html>${renderToString(page)}`);
}

/** Renders the parts of a page, by name. Preact escapes every value. */
export function renderParts(parts: Readonly<Record<string, VNode>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, renderToString(part)]));
}
