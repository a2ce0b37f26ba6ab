import { Socket } from 'node:net';
import { currentContext } from '../../src/platform/context/request-context';

/** Runs `work` and returns the longest time in milliseconds that it blocked the event loop of this process. */
export async function measureLongestTick(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  try {
    await work();
    // The tick that ended the work counts too.
    await new Promise(setImmediate);
    look();
  } finally {
    clearInterval(timer);
  }
  return longest;
}

/** Measures how many milliseconds this machine needs to parse JSON of this size and to visit each value. */
export function measureJsonWalkMs(bytes: number): number {
  const json = `[${'{"a":1},'.repeat(bytes / 8)}{}]`;
  const began = performance.now();
  let values = 0;
  const walk = (value: unknown): void => {
    values += 1;
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  walk(JSON.parse(json));
  return values > 0 ? performance.now() - began : Infinity;
}

/** Inputs that make backtracking patterns slow when they are repeated. */
const REPEATED_INPUTS = [
  ...[
    'a',
    'a.',
    'a-',
    '.',
    ' ',
    '\t',
    '\n',
    '-',
    '_',
    '0',
    '1 ',
    '1,',
    '1.',
    '1-',
    '(',
    '"',
    "'",
    '$',
    '$1',
    '%',
    '+',
    '+/',
    '=',
    '|',
  ],
  ...[
    '<',
    '<!',
    '<!--',
    '<!-- ',
    '</a',
    '<a ',
    '<a =',
    '<|',
    '<|a',
    '<<',
    '[',
    '![',
    '[](',
    '[a](',
    ']',
    '](',
    '[removed] ',
    '[removed]',
    '/',
  ],
  ...[
    '@',
    'a@',
    'a@b.',
    'a (at) ',
    'a@b (dot) ',
    'http://',
    'http:',
    'www.',
    'www.a',
    'data:',
    'xn--',
    'a/',
    'a.com/',
    '?',
    '? ',
    '. ',
  ],
  ...[
    'ignore ',
    'ignore all ',
    'print ',
    'print your ',
    'your system ',
    'you are ',
    'you are an ai ',
    'visit ',
    'reply with ',
    'decode ',
  ],
  ...[
    'system:',
    '#',
    '# ',
    'ai:',
    'ai, ',
    'I ',
    'telegram ',
    '1 years',
    '$1/',
    '5 ',
    'if you are an ',
    'as an ai ',
    'забудь ',
    'tool_call ',
  ],
  ...[
    '\u33c2',
    '\ufdfa',
    '\u200c',
    'a\u200d',
    '\ud83d',
    '\ud83d\udc69\u200d',
    'я',
    '漢',
    '\u00a0',
    'AA',
    'Aa1',
    ';',
    '; ',
    '&',
    '%2',
    '--',
    '/*',
    '/* *',
    '$a$',
  ],
];

/** What `findSlowInputs` tries. */
interface SlowInputOptions {
  /** Texts that are repeated. */
  readonly fillings?: readonly string[];
  /** Attempts for each filling. Other load slows some attempts down; the fastest is close to the real cost. */
  readonly attempts?: number;
}

/**
 * Returns the fillings of a length for which `work` takes more than `limit` times as long as reading each character
 * once, and more than eight times as long as for a quarter of the text. A linear pattern takes some hundred times as
 * long and four times, a quadratic one thousands and sixteen times.
 */
export function findSlowInputs(
  work: (text: string) => unknown,
  length: number,
  limit: number,
  { fillings = REPEATED_INPUTS, attempts = 25 }: SlowInputOptions = {},
): string[] {
  return fillings
    .flatMap((filling) => ['', '!'].map((end) => [filling, end] as const))
    .flatMap(([filling, end]) => {
      const text = repeat(filling, length, end);
      const isSlow =
        isSlower(
          () => work(text),
          limit,
          () => scan(text),
          attempts,
        ) &&
        isSlower(
          () => work(text),
          8,
          () => work(repeat(filling, length / 4, end)),
          attempts,
        );
      return isSlow ? [JSON.stringify(filling + end)] : [];
    });
}

function repeat(filling: string, length: number, end: string): string {
  return filling.repeat(Math.ceil(length / filling.length)).slice(0, length - end.length) + end;
}

/**
 * Returns whether `work` takes more than `limit` times as long as `comparison`. The fastest attempts of both are
 * compared. They alternate, so that other load of the machine meets both, and end with the first one that is fast.
 */
function isSlower(work: () => unknown, limit: number, comparison: () => unknown, attempts: number): boolean {
  let [ofWork, ofComparison] = [Infinity, Infinity];
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    ofWork = Math.min(ofWork, measureMs(work));
    for (let runs = 0; runs < 10; runs += 1) ofComparison = Math.min(ofComparison, measureMs(comparison));
    if (ofWork <= limit * ofComparison) return false;
  }
  return true;
}

let seen = 0;

function scan(text: string): void {
  for (let i = 0; i < text.length; i += 1) seen = (seen + text.charCodeAt(i)) & 0xffff;
}

function measureMs(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/**
 * Counts the writes to sockets that reach the operating system while `work` runs, for a signed-in user: those of the
 * process's background work do not count. With `port` only those to that port.
 */
export async function countSocketWrites<T>(
  work: () => Promise<T>,
  port?: number,
): Promise<{ writes: number; result: T }> {
  const prototype = Socket.prototype as unknown as Record<'_write' | '_writev', (...args: unknown[]) => void>;
  const { _write, _writev } = prototype;
  let writes = 0;
  const counted = (write: (...args: unknown[]) => void) =>
    function (this: Socket, ...args: unknown[]): void {
      const isOfUser = currentContext()?.principal !== undefined;
      if (isOfUser && (port === undefined || this.remotePort === port)) writes += 1;
      write.apply(this, args);
    };
  Object.assign(prototype, { _write: counted(_write), _writev: counted(_writev) });
  try {
    const result = await work();
    return { writes, result };
  } finally {
    Object.assign(prototype, { _write, _writev });
  }
}
