/** Pieces that make backtracking patterns slow when they are repeated. */
const FILLINGS = [
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

/** Attempts of a filling: a busy machine makes some slower, and none faster than the work itself is. */
const ATTEMPTS = 25;

/**
 * Returns the fillings of a length for which `work` takes more than `limit` times as long as reading each character once.
 * A linear pattern needs some hundred times that, a quadratic one thousands. A filling is slow when every attempt is.
 */
export function slowFillings(
  work: (text: string) => unknown,
  length: number,
  limit: number,
  fillings = FILLINGS,
): string[] {
  const scanMs = medianMs(() => scan('x'.repeat(length)), 100);
  return fillings
    .flatMap((filling) => ['', '!'].map((end) => [filling, end] as const))
    .flatMap(([filling, end]) => {
      const text = filling.repeat(Math.ceil(length / filling.length)).slice(0, length - end.length) + end;
      const isSlow = Array.from({ length: ATTEMPTS }).every(() => medianMs(() => work(text), 1) > limit * scanMs);
      return isSlow ? [JSON.stringify(filling + end)] : [];
    });
}

let seen = 0;

function scan(text: string): void {
  for (let i = 0; i < text.length; i += 1) seen = (seen + text.charCodeAt(i)) & 0xffff;
}

function medianMs(work: () => unknown, rounds: number): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
}
