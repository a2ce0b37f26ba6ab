import { Conditions } from '../platform/database/conditions';
import type { CursorKey } from '../platform/http/cursor-codec';
import type { LetterVersion } from './letter-version.entity';

/** The newest version of a proposal's letter. */
export const NEWEST_VERSION = 'SELECT letter FROM letter_versions WHERE proposal_id = $1 ORDER BY id DESC LIMIT 1';

/** His other letters that a client may have read or will, newest first; as many as a comparison is worth. */
export const OTHER_LETTERS = `
  SELECT id AS "proposalId", cover_letter AS letter FROM proposals
  WHERE id <> $1 AND cover_letter IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT 200`;

/** One page of the versions of a proposal's letter, newest first. */
export function listVersions(
  proposalId: number,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions().add('proposal_id = $?', proposalId).after('id', '<', ['bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT id, proposal_id AS "proposalId", generation_id AS "generationId", letter, created_at AS "createdAt"
     FROM letter_versions ${conditions.where} ORDER BY id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

/** A row of that list. */
export type LetterVersionRow = Pick<LetterVersion, 'id' | 'proposalId' | 'generationId' | 'letter' | 'createdAt'>;
