import fc from 'fast-check';
import { type EncryptionContext, EncryptionError } from '../../../src/platform/encryption/ciphertext';
import { createMasterKey, InMemoryDataKeys, createEncryption } from '../../support/encryption';

/** The result of the encryption scenario; `wronglyOpened` must be 0. */
export interface EncryptionResult {
  readonly cases: number;
  readonly opened: number;
  readonly refused: number;
  readonly wronglyOpened: number;
}

const userIds = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(null));
const sealContexts: fc.Arbitrary<EncryptionContext> = fc.record({
  table: fc.constantFrom('user_tokens', 'user_mfa', 'email_outbox', 'a","b'),
  column: fc.constantFrom('encrypted_access_token', 'encrypted_refresh_token', 'b', ''),
  userId: userIds,
  sealKey: fc.uuid(),
});

/** How a value is changed or moved before it is opened. */
const changes = fc.oneof(
  fc.record({ kind: fc.constantFrom('table', 'column', 'sealKey'), text: fc.string({ maxLength: 30 }) }),
  fc.record({ kind: fc.constant('userId'), userId: userIds }),
  fc.record({ kind: fc.constant('version'), text: fc.constantFrom('v0', 'v2', 'w1', '', 'V1', 'v1 ') }),
  fc.record({ kind: fc.constantFrom('byte', 'cut', 'char'), at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constantFrom('keyId', 'wrapping'), at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('none') }),
);
/** An id without a data key. */
const NO_KEY = '00000000-0000-4000-8000-000000000000';

type Change = { kind: string; text?: string; userId?: number | null; at?: number; mask?: number };

/**
 * Seals texts in all kinds of places, then changes the table, column, user, seal key, version, key id, a byte, a
 * character or the length of the value, or the wrapping of its data key, and opens it. Only an unchanged value opens,
 * to the same text. Every other outcome is an EncryptionError.
 */
export async function stressEncryption({ cases }: { cases: number }): Promise<EncryptionResult> {
  const store = new InMemoryDataKeys();
  const [k1, k2] = [createMasterKey('k1'), createMasterKey('k2')];
  const encryption = createEncryption(store, k1, k2);
  const found = { cases: 0, opened: 0, refused: 0, wronglyOpened: 0 };
  const property = fc.asyncProperty(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    sealContexts,
    changes,
    async (text, place, change) => {
      const sealed = await encryption.seal(text, place);
      const isRewrapped = change.kind === 'wrapping';
      const opener = isRewrapped ? createEncryption(changeWrappedKey(store, place.userId, change), k1, k2) : encryption;
      const [value, where] = applyChange(sealed, place, change, store);
      const isSame = !isRewrapped && value === sealed && JSON.stringify(where) === JSON.stringify(place);
      found.cases += 1;
      try {
        const opened = await opener.open(value, where);
        if (isSame && opened === text) found.opened += 1;
        else found.wronglyOpened += 1;
      } catch (error) {
        if (!(error instanceof EncryptionError) || isSame) throw error;
        found.refused += 1;
      }
      return found.wronglyOpened === 0;
    },
  );
  await fc.assert(property, { numRuns: cases });
  return found;
}

/** Returns the row of the user's data key with a manipulated user, master key or byte. */
function changeWrappedKey(
  store: InMemoryDataKeys,
  userId: number | null,
  { at = 0, mask = 1 }: Change,
): InMemoryDataKeys {
  const row = store.rows.get(userId)!;
  const [version, , nonce = '', body = ''] = row.wrappedKey.split('.');
  const bytes = Buffer.from(body, 'base64url');
  bytes[at % bytes.length]! ^= mask;
  const altered = [
    { ...row, userId: userId === null ? 1 : null },
    { ...row, wrappedKey: [version, 'k2', nonce, body].join('.') },
    { ...row, wrappedKey: [version, 'k1', nonce, bytes.toString('base64url')].join('.') },
  ][at % 3]!;
  const changedStore = new InMemoryDataKeys();
  changedStore.rows.set(altered.userId, altered);
  return changedStore;
}

function applyChange(
  sealed: string,
  place: EncryptionContext,
  change: Change,
  { rows }: InMemoryDataKeys,
): [value: string, place: EncryptionContext] {
  const [version = '', keyId = '', nonce = '', body = ''] = sealed.split('.');
  const { kind, text = '', at = 0, mask = 1 } = change;
  switch (kind) {
    case 'table':
    case 'column':
    case 'sealKey':
      return [sealed, { ...place, [kind]: text }];
    case 'userId':
      return [sealed, { ...place, userId: change.userId ?? null }];
    case 'version':
      return [[text, keyId, nonce, body].join('.'), place];
    case 'keyId': {
      const known = [...rows.values()].map((row) => row.keyId);
      return [[version, [...known, NO_KEY][at % (known.length + 1)], nonce, body].join('.'), place];
    }
    case 'byte': {
      const bytes = Buffer.concat([Buffer.from(nonce, 'base64url'), Buffer.from(body, 'base64url')]);
      bytes[at % bytes.length]! ^= mask;
      const parts = [bytes.subarray(0, 12), bytes.subarray(12)].map((part) => part.toString('base64url'));
      return [[version, keyId, ...parts].join('.'), place];
    }
    case 'cut':
      return [sealed.slice(0, at % sealed.length), place];
    case 'char': {
      const i = at % sealed.length;
      return [sealed.slice(0, i) + String.fromCharCode(33 + (mask % 94)) + sealed.slice(i + 1), place];
    }
    default:
      return [sealed, place];
  }
}
