import { hash } from 'node:crypto';
import { z } from 'zod';
import { isBase64Key, list, url } from './setting-groups';

/** Types of verifier keys. @see https://c2sp.org/signed-note#signature-types */
const LOG_KEY = 1;
const WITNESS_KEY = 4;

const VERIFIER_KEY = /^(?<name>[^\s+,]+)\+(?<id>[0-9a-f]{8})\+(?<key>[A-Za-z0-9+/]+={0,2})$/;

/** The public key of a log or of a witness. */
export interface PublicNoteKey {
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Buffer;
}

/** A witness that cosigns the heads of the audit log. */
export interface WitnessAddress extends PublicNoteKey {
  /** The submission prefix, without a trailing slash. */
  readonly url: string;
}

/** The settings of the audit log: its keys, and where its heads and rows go. */
export const auditSettings = {
  AUDIT_SIGNING_KEY: z
    .string()
    .refine((value) => isBase64Key(value, 32, 32), 'must be base64 of 32 bytes')
    .optional()
    .describe(
      'Signs the heads of the audit log, in the worker only; derived from SECRET_KEY by default, which the API has ' +
        'too. Create it with: openssl rand -base64 32',
    )
    .meta({ example: '' }),
  AUDIT_HEAD_FILE: z
    .string()
    .optional()
    .describe(
      'File of the newest head of the audit log, written by the worker. On a disk apart from the database, it shows ' +
        'whether the log was cut or rewritten.',
    )
    .meta({ example: '/var/lib/gigvault/audit-head.txt' }),
  AUDIT_HEAD_WEBHOOK_URL: url('http', 'https')
    .optional()
    .describe('URL to which the worker posts the newest head of the audit log as text, every ten minutes if it is new.')
    .meta({ example: 'https://archive.example.com/heads' }),
  AUDIT_HEAD_EMAIL: z
    .email()
    .optional()
    .describe('Address to which the worker sends the newest head of the audit log daily.')
    .meta({ example: 'auditor@example.com' }),
  AUDIT_STREAM: z
    .string()
    .refine(isStreamAddress, 'must be file:/PATH, syslog+tcp://HOST:PORT or syslog+tls://HOST:PORT')
    .optional()
    .describe(
      'Where the worker sends sealed rows of the audit and security logs: a file of JSON lines, or a syslog server. ' +
        'It gets the values of all users.',
    )
    .meta({ example: 'file:/var/log/gigvault/audit.jsonl' }),
  AUDIT_WITNESSES: list()
    .refine(
      (pairs) => pairs.every((pair) => readWitness(pair) !== undefined),
      'must be pairs of a verifier key of type 4 and a URL, separated by commas: name+id+key https://…',
    )
    .transform((pairs) => pairs.map((pair) => readWitness(pair)!))
    .describe(
      'C2SP witnesses that cosign the heads of the audit log: pairs of verifier key and URL, separated by commas. ' +
        'The URL of another Gigvault ends with /v1/audit/witness; its GET /v1/admin/audit/witness has the key.',
    )
    .meta({ example: 'w.example.com/witness+7b6a2b3c+BKe…= https://w.example.com/v1/audit/witness' }),
  AUDIT_WITNESS_KEYS: list()
    .refine((keys) => keys.every((key) => isBase64Key(key, 32, 32)), 'must be base64 of 32 bytes, several by commas')
    .transform((keys) => keys.map((key) => Buffer.from(key, 'base64')))
    .describe(
      'Private keys with which the API cosigns heads of other logs; it is no witness when unset. Each signs, so ' +
        'that a new key and the former one can be used side by side. Create one with: openssl rand -base64 32',
    )
    .meta({ example: '' }),
  AUDIT_WITNESS_NAME: z
    .string()
    .regex(/^[^\s+,]+$/, 'must have no spaces, plus signs and commas')
    .optional()
    .describe(
      'Name of this witness, part of its verifier keys: a URL without its scheme. When unset, the host of PUBLIC_URL ' +
        'and /witness.',
    )
    .meta({ example: 'api.example.com/witness' }),
  AUDIT_WITNESSED_LOGS: list()
    .refine(
      (keys) => keys.every((key) => readVerifierKey(key, LOG_KEY) !== undefined),
      'must be verifier keys of type 1, separated by commas: name+id+key',
    )
    .transform((keys) => keys.map((key) => readVerifierKey(key, LOG_KEY)!))
    .describe(
      'Logs that this witness cosigns: C2SP verifier keys, whose name is the origin of the log, separated by commas. ' +
        'Several keys of one name are keys of one log.',
    )
    .meta({ example: 'b.example.com/audit+c74f20a3+ARp…=' }),
};

/** The address has neither a login nor a path. */
function isStreamAddress(value: string): boolean {
  if (value.startsWith('file:')) return /^file:\/[^/]/.test(value);
  if (!URL.canParse(value)) return false;
  const { protocol, host, port } = new URL(value);
  return ['syslog+tcp:', 'syslog+tls:'].includes(protocol) && port !== '' && value === `${protocol}//${host}`;
}

/** Reads a verifier key; undefined for another text, another type, and an id that is not of the key. */
function readVerifierKey(text: string, type: number): PublicNoteKey | undefined {
  const { name = '', id, key = '' } = VERIFIER_KEY.exec(text)?.groups ?? {};
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length !== 33 || bytes[0] !== type) return undefined;
  const expectedId = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), bytes])).slice(0, 8);
  return id === expectedId ? Object.freeze({ name, publicKey: bytes.subarray(1) }) : undefined;
}

function readWitness(pair: string): WitnessAddress | undefined {
  const [text = '', address = '', ...others] = pair.split(/\s+/);
  const key = readVerifierKey(text, WITNESS_KEY);
  const isUrl = url('http', 'https').safeParse(address).success;
  return key && isUrl && others.length === 0
    ? Object.freeze({ ...key, url: address.replace(/(?<!\/)\/+$/, '') })
    : undefined;
}
