import ipaddr from 'ipaddr.js';
import { z } from 'zod';

const POSTGRES_EXAMPLE_HOST = '127.0.0.1:5432/gigvault';

/** Base64 in the standard and the URL-safe alphabet. */
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** The example of a setting in the generated `.env.example`. */
export interface SettingExample {
  /** A valid value; for optional settings the default. */
  readonly example: string;
}

/** Defines a boolean setting. */
export function flag(defaultValue: boolean) {
  return z
    .enum(['true', 'false', '1', '0'], 'must be true or false')
    .default(defaultValue ? 'true' : 'false')
    .transform((value) => value === 'true' || value === '1');
}

/** Defines a whole number within limits. */
export function integer(defaultValue: number, min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .default(String(defaultValue))
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);
}

/** Defines a URL with one of these protocols. */
export function url(...protocols: string[]) {
  const schemes = protocols.map((protocol) => `${protocol}://`).join(' or ');
  return z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, host } = new URL(value);
    return protocols.includes(protocol.slice(0, -1)) && host !== '';
  }, `must be a URL that begins with ${schemes}`);
}

/** Defines a comma-separated list. */
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

/** Defines an optional secret. */
export function secret(description: string) {
  return z
    .string()
    .optional()
    .describe(description)
    .meta({ example: '' } satisfies SettingExample);
}

/** Defines the base URL of an AI provider; by default the public one. */
export function providerUrl(defaultValue: string, provider: string) {
  return url('http', 'https')
    .default(defaultValue)
    .describe(`Base URL of ${provider}'s API, or of a compatible gateway.`)
    .meta({ example: defaultValue } satisfies SettingExample);
}

/** Defines the default model of an AI provider. */
export function model(defaultValue: string, provider: string) {
  return z
    .string()
    .regex(/^[\w.:/-]{1,100}$/, 'must be the name of a model')
    .default(defaultValue)
    .describe(`Default model of ${provider} for drafts.`)
    .meta({ example: defaultValue } satisfies SettingExample);
}

/** Defines an amount of USD with two decimals. */
export function money(defaultValue: string, description: string) {
  return z
    .string()
    .regex(/^\d{1,8}\.\d{2}$/, 'must be an amount with two decimals, such as 5.00')
    .default(defaultValue)
    .describe(description)
    .meta({ example: defaultValue } satisfies SettingExample);
}

/** Defines the URL of PostgreSQL with the login of one role. */
export function databaseUrl(role: string, use: string) {
  return url('postgres', 'postgresql')
    .describe(`Login for ${use}.`)
    .meta({ example: `postgres://gigvault_${role}:change-me@${POSTGRES_EXAMPLE_HOST}` } satisfies SettingExample);
}

/** Returns whether the value is an IP address or a network in CIDR notation. */
export function isAddressOrNetwork(value: string): boolean {
  return ipaddr.isValid(value) || ipaddr.isValidCIDR(value);
}

/** Returns whether the value is a web origin: scheme, host and port. */
export function isOrigin(value: string): boolean {
  return /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;
}

/** Returns whether the value is `id:key` with a key of 32 bytes in Base64. */
export function isEncryptionKey(entry: string): boolean {
  const [id = '', key = '', ...rest] = entry.split(':');
  return /^[A-Za-z0-9_-]{1,32}$/.test(id) && rest.length === 0 && isBase64Key(key, 32, 32);
}

/** Returns whether the value is Base64 of a number of bytes within limits. */
export function isBase64Key(value: string, minBytes: number, maxBytes = Infinity): boolean {
  const { length } = Buffer.from(value, 'base64');
  return BASE64.test(value) && length >= minBytes && length <= maxBytes;
}
