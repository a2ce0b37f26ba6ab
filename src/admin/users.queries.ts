import { Conditions } from '../platform/database/conditions';
import type { CursorKey } from '../platform/http/cursor-codec';
import type { AdminUserDto } from './dto/admin-user.dto';
import type { ListUsersDto } from './dto/list-users.dto';

/** A row of the list, with its sort value as PostgreSQL writes it. */
export type UserRow = AdminUserDto & { readonly sortKey: string };

const USER = `
  u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.role, u.is_active AS "isActive",
  u.is_verified AS "isVerified", coalesce(m.totp_enabled, false) AS "mfaEnabled", u.created_at AS "createdAt",
  u.updated_at AS "updatedAt", u.created_at::text AS "sortKey"`;

const FROM = `FROM users u LEFT JOIN user_mfa m ON m.user_id = u.id`;

/** One page of the accounts that fit the filters, newest first, behind the one with the keys `after`. */
export function listUsers(
  { q, role, isActive }: Pick<ListUsersDto, 'q' | 'role' | 'isActive'>,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions()
    .add(`strpos(lower(concat_ws(' ', u.email, u.first_name, u.last_name)), lower($?)) > 0`, q)
    .add('u.role = $?', role)
    .add('u.is_active = $?', isActive)
    .after('u.created_at, u.id', '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${USER} ${FROM} ${conditions.where} ORDER BY u.created_at DESC, u.id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

/** One account. */
export function findUser(id: number): [sql: string, values: unknown[]] {
  return [`SELECT ${USER} ${FROM} WHERE u.id = $1`, [id]];
}
