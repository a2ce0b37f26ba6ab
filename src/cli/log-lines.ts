import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { escapeControlCharacters } from '../platform/logging/logger';

/** A line of a server's log. */
export interface LogLine {
  /** The server: api or worker. */
  readonly server: string;
  /** When it was written; a line without a time has that of the line before. */
  readonly time: string;
  /** The fields; a line that is not JSON, such as a crash report of Node, is the message. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Fields with a place of their own, or the same in all lines. */
const HIDDEN_FIELDS = new Set(['time', 'level', 'source', 'msg', 'stack', 'requestId', 'pid', 'hostname']);

/**
 * Reads the log of a server and its predecessor, oldest line first.
 * @param id selects the lines of a request or of a task run; all lines when undefined
 */
export async function readLog(file: string, server: string, id: string | undefined): Promise<LogLine[]> {
  const found: LogLine[] = [];
  let time = '';
  for (const part of [`${file}.1`, file].filter((name) => existsSync(name))) {
    for await (const text of createInterface({ input: createReadStream(part), crlfDelay: Infinity })) {
      // Parsing each line of a long log takes seconds.
      if (id !== undefined && !text.includes(id)) continue;
      const fields = parseFields(text);
      if (typeof fields['time'] === 'string') time = fields['time'];
      if (id === undefined || fields['requestId'] === id) found.push({ server, time, fields });
    }
  }
  return found;
}

/** Returns a line for a terminal: time, level, server, message, the other fields, and a stack trace below. */
export function formatLine({ server, time, fields }: LogLine): string {
  const { level = '', source, msg = '', stack } = fields;
  const others = Object.entries(fields).filter(([name]) => !HIDDEN_FIELDS.has(name));
  const words = [
    escapeText(time),
    escapeText(level).toUpperCase().padEnd(5),
    server.padEnd(6),
    ...(source === undefined ? [] : [`${escapeText(source)}:`]),
    escapeText(msg),
    ...others.map(([name, value]) => `${escapeText(name)}=${escapeText(value)}`),
  ];
  const trace = typeof stack === 'string' ? stack.split('\n').map((line) => `\n    ${escapeText(line.trim())}`) : [];
  return words.join(' ').trim() + trace.join('');
}

function parseFields(text: string): LogLine['fields'] {
  try {
    const fields: unknown = JSON.parse(text);
    if (typeof fields === 'object' && fields !== null) return fields as LogLine['fields'];
  } catch {
    // Not a line of the logger.
  }
  return { msg: text };
}

/** A log may contain texts of strangers; none may control the terminal. */
function escapeText(value: unknown): string {
  return escapeControlCharacters(typeof value === 'string' ? value : JSON.stringify(value));
}
