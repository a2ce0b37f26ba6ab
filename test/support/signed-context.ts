import type { ClientBase } from 'pg';
import { getLogin, type Role } from '../../src/local-services/database-setup';
import { ContextSigner } from '../../src/platform/database/context-signer';
import { testServices } from './test-services';

/** The fields of a context that a test signs, by their names in the views auth.context and audit.actor. */
export interface TestContext {
  tenant?: number | string;
  actorKind?: string;
  actorId?: number;
  auditSource?: string;
  requestId?: string;
  ip?: string;
  operation?: string;
  reason?: string;
}

/** One for each role: a signer allocates memory for the signatures that it may reuse. */
const signers = new Map<Role, ContextSigner>();

function signerOf(role: Role): ContextSigner {
  const known = signers.get(role);
  if (known) return known;
  const signer = new ContextSigner(Buffer.from(testServices().contextKey, 'base64'), getLogin(role));
  signers.set(role, signer);
  return signer;
}

/** Returns a context signed with the key of the role's login, which may write unless it names no audit source. */
export function signContext(role: Role, context: TestContext, signedAtMs?: number): string {
  const { tenant, actorKind, actorId, auditSource = 'triggers', requestId, ip, operation, reason } = context;
  const fields = [tenant, actorKind, actorId, auditSource, requestId, ip, operation, reason];
  return signerOf(role).sign(
    fields.map((field) => (field === undefined ? '' : String(field))),
    signedAtMs,
  );
}

/** Sets the tenant of the client's transaction, as the API does for gigvault_app. */
export async function setTenant(
  client: Pick<ClientBase, 'query'>,
  tenant: number | string,
  context: TestContext = {},
): Promise<void> {
  await client.query(`SELECT set_config('app.context', $1, true)`, [signContext('app', { tenant, ...context })]);
}
