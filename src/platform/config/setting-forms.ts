import { z } from 'zod';

/** What the generated `.env.example` shows beside a setting's description. */
export interface SettingExample {
  /** A value that fits; for optional settings the default. */
  readonly example: string;
}

/** A setting that is true or false. */
export function flag(fallback: boolean) {
  return z
    .enum(['true', 'false', '1', '0'], 'must be true or false')
    .default(fallback ? 'true' : 'false')
    .transform((value) => value === 'true' || value === '1');
}

/** A whole number between two bounds. */
export function integer(fallback: number, min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .default(String(fallback))
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);
}

/** An address of one of these protocols. */
export function url(...protocols: string[]) {
  const schemes = protocols.map((protocol) => `${protocol}://`).join(' or ');
  return z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, host } = new URL(value);
    return protocols.includes(protocol.slice(0, -1)) && host !== '';
  }, `must be a URL that begins with ${schemes}`);
}

/** Texts, by commas. */
export function list() {
  return z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    );
}

/** A secret that may be left out. */
export function secret(description: string) {
  return z.string().optional().describe(description).meta({ example: '' } satisfies SettingExample);
}
