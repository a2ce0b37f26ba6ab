import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database';
import { SystemDatabase } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import { KeysetPages } from '../../platform/http/pagination/keyset-page';
import type { Page, PageQueryDto } from '../../platform/http/pagination/page.dto';
import { createTileReader } from './audit-sealer';
import type { AuditProofDto, SealDto } from './audit-seals.dto';
import { MerkleTree } from './merkle-tree';
import { ENTRY_BYTES } from './tree-entries';

/** With the second half of the salt, the address of an admin could be found by trying all addresses. */
const FIND_ROW = `
  SELECT concat(a.user_id, E'\\x1f', a.table_name, E'\\x1f', a.record_id, E'\\x1f', a.action, E'\\x1f', a.actor_kind,
      E'\\x1f', a.actor_id, E'\\x1f', a.request_id, E'\\x1f', a.operation, E'\\x1f', a.transaction_id) AS columns,
    CASE WHEN a.values_hash IS NULL
      THEN concat(a.old_values, E'\\n', a.new_values, E'\\n', a.reason) END AS values,
    encode(CASE WHEN a.actor_id = a.user_id THEN a.values_salt ELSE substr(a.values_salt, 1, 16) END, 'hex') AS salt,
    encode(audit.values_hash(a), 'hex') AS "valuesHash",
    encode(audit.address_hash(a), 'hex') AS "addressHash"
  FROM audit_logs a WHERE a.id = $1`;

const FIND_LEAF = 'SELECT leaf_index AS "leafIndex", entry FROM audit.find_leaf($1)';

const FIND_HEAD = `
  SELECT tree_size AS "treeSize", checkpoint, verifier_key AS "verifierKey" FROM audit.seals ORDER BY id DESC LIMIT 1`;

const LIST_SEALS = `
  SELECT s.id, s.tree_size AS "treeSize", s.checkpoint || coalesce(c.lines, '') AS checkpoint,
    s.verifier_key AS "verifierKey", s.sealed_at AS "sealedAt", octet_length(s.entries) / ${ENTRY_BYTES} AS rows,
    c.count AS witnesses
  FROM audit.seals s CROSS JOIN LATERAL (
    SELECT string_agg(cosignature, '' ORDER BY witness) AS lines, count(*) AS count
    FROM audit.cosignatures WHERE tree_size = s.tree_size AND checkpoint = s.checkpoint
  ) AS c
  WHERE $1::bigint IS NULL OR s.id < $1 ORDER BY s.id DESC LIMIT $2`;

/** Proves rows of the audit log by their seals. */
@Injectable()
export class AuditProofsService {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly pages: KeysetPages,
  ) {}

  /**
   * Returns the proof of a row of the signed-in user's audit log under the newest head. Session: user.
   * @throws AppError `audit.not_found`; `audit.not_sealed` until the next seal
   */
  prove(id: number): Promise<AuditProofDto> {
    return this.database.transaction(async (unit) => {
      type Row = Pick<AuditProofDto, 'columns' | 'values' | 'salt' | 'valuesHash' | 'addressHash'>;
      const [row] = await unit.query<Row>(FIND_ROW, [id]);
      if (!row) throw new AppError('audit.not_found');
      const [leaf] = await unit.query<{ leafIndex: number; entry: Buffer }>(FIND_LEAF, [id]);
      if (!leaf) throw new AppError('audit.not_sealed');
      type Head = Pick<AuditProofDto, 'treeSize' | 'checkpoint' | 'verifierKey'>;
      const [head] = await unit.query<Head>(FIND_HEAD);
      const path = await new MerkleTree(head!.treeSize, createTileReader(unit)).proveInclusion(leaf.leafIndex);
      return {
        ...head!,
        leafIndex: leaf.leafIndex,
        entry: leaf.entry.toString('base64'),
        path: path.map((each) => each.toString('base64')),
        ...row,
      };
    });
  }

  /** Returns one page of the seals, newest first, as gigvault_admin; the access is logged. */
  async listSeals(query: PageQueryDto): Promise<Page<SealDto>> {
    const page = this.pages.open(query);
    const rows = await this.system.asAdmin('list the seals of the logs', (unit) =>
      unit.query<SealDto>(LIST_SEALS, [page.after?.[0] ?? null, page.take]),
    );
    return page.of(
      rows,
      ({ id }) => [id],
      (row) => row,
    );
  }
}
