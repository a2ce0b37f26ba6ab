import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The offline verifier, in this process. */
const { run } = createRequire(__filename)('../../src/audit/export/verify-export.cjs') as {
  run: (args: readonly string[], print: (text: string) => void) => Promise<number>;
};

/** A result of the offline verifier. */
export interface OfflineResult {
  /** 0 valid, 1 tampered, 2 not verified. */
  readonly code: number;
  readonly output: string;
}

/** Verifies the text of an export as `npm run audit:verify` does. */
export async function verifyExport(text: string, key: string, head?: string): Promise<OfflineResult> {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-export-'));
  try {
    const path = join(folder, 'export.ndjson');
    writeFileSync(path, text);
    if (head !== undefined) writeFileSync(join(folder, 'head.txt'), head);
    const output: string[] = [];
    const heads = head === undefined ? [] : ['--head', join(folder, 'head.txt')];
    const code = await run(['--export', path, '--key', key, ...heads], (line) => output.push(line));
    return { code, output: output.join('\n') };
  } catch (error) {
    return { code: 2, output: (error as Error).message };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Numbers from 0 up to 1 that depend on a seed only. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Line = Record<string, unknown>;
type Pick = <T>(values: readonly T[]) => T;

/** Replaces the last line by that of the changed file, as somebody does who knows the format. */
function renewEnd(text: string): string {
  const lines = text.split('\n').slice(0, -1);
  const end = JSON.parse(lines.pop()!) as Line;
  if (end['type'] !== 'end') return text;
  const rows = lines.filter((line) => /^\{"type":"(?:change|event)"/.test(line)).length;
  const rest = lines.map((line) => `${line}\n`).join('');
  return `${rest}${JSON.stringify({ ...end, rows, sha256: createHash('sha256').update(rest).digest('hex') })}\n`;
}

/** Returns another value of the same kind. */
function change(value: unknown, random: () => number): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (value === null) return random() < 0.5 ? 'x' : 1;
  if (Array.isArray(value)) return value.length === 0 ? ['AAAA'] : value.slice(1);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const at = Math.floor(random() * text.length);
  return `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
}

/** Changes a field of a line, and returns which. */
function changeField(lines: Line[], index: number, pick: Pick, random: () => number): string {
  const line = lines[index]!;
  const field = pick(Object.keys(line));
  lines[index] = { ...line, [field]: change(line[field], random) };
  return `${String(line['type'])}.${field} of line ${index + 1}`;
}

/** One altered copy of an export. */
export interface TamperedExport {
  readonly what: string;
  readonly text: string;
}

/** Alters an export at random. The last line matches the altered file where the verifier must not rely on it. */
export function tamperWithExport(original: string, random: () => number): TamperedExport {
  const lines = original
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
  const pick: Pick = (values) => values[Math.floor(random() * values.length)]!;
  const rows = lines.flatMap(({ type }, i) => (type === 'change' || type === 'event' ? [i] : []));
  const isOfInstallation = lines[0]!['scope'] === 'installation';
  const format = (what: string, isRenewed: boolean): TamperedExport => {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    return { what, text: isRenewed ? renewEnd(text) : text };
  };
  const ways: (() => TamperedExport)[] = [
    () => format(changeField(lines, pick(rows), pick, random), true),
    () => format(changeField(lines, pick([...lines.keys()]), pick, random), false),
    () => {
      const [index] = lines.splice(pick(rows), 1);
      return format(`without the row ${String(index!['id'])}`, isOfInstallation);
    },
    () => {
      const index = pick(rows);
      lines.splice(index, 0, lines[index]!);
      return format(`line ${index + 1} twice`, true);
    },
    () => {
      const [one, other] = [pick(rows.slice(1)), pick(rows.slice(0, -1))];
      if (one === other) return format(changeField(lines, one, pick, random), true);
      [lines[one], lines[other]] = [lines[other]!, lines[one]!];
      return format(`lines ${one + 1} and ${other + 1} exchanged`, true);
    },
    () => {
      const [one, other] = [pick(rows.slice(0, -1)), rows.at(-1)!];
      const { leafIndex, proof, salt } = lines[one]!;
      const part = isOfInstallation ? { salt: lines[other]!['salt'] } : lines[other]!;
      lines[one] = {
        ...lines[one]!,
        ...(isOfInstallation ? part : { leafIndex: part['leafIndex'], proof: part['proof'] }),
      };
      lines[other] = { ...lines[other]!, ...(isOfInstallation ? { salt } : { leafIndex, proof }) };
      return format(`${isOfInstallation ? 'salts' : 'proofs'} of two rows exchanged`, true);
    },
    () => ({ what: 'a cut', text: original.slice(0, Math.floor(random() * (original.length - 1)) + 1) }),
    () => {
      const at = Math.floor(random() * original.length);
      const other = original[at] === 'x' ? 'y' : 'x';
      return { what: `another character at ${at}`, text: `${original.slice(0, at)}${other}${original.slice(at + 1)}` };
    },
    () => {
      const index = pick(rows);
      lines[index] = { ...lines[index]!, note: 'x' };
      return format(`a further field in line ${index + 1}`, true);
    },
  ];
  return pick(ways)();
}
