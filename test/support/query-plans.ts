import type { TestDatabase } from './test-database';
import { setTenant } from './signed-context';

/** A node of an executed plan of PostgreSQL. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How PostgreSQL plans a named statement: for its values or, from its sixth run on, for any values. */
export const PLAN_MODES = ['force_custom_plan', 'force_generic_plan'] as const;

/** Runs a statement as the API's login for the tenant and returns its plan. @param mode a plan_cache_mode */
export function explainAs(
  db: TestDatabase,
  userId: number,
  mode: string,
  sql: string,
  values: readonly unknown[],
): Promise<PlanNode> {
  return db.transaction('app', async (client) => {
    await setTenant(client, userId);
    await client.query(`SELECT set_config('plan_cache_mode', $1, true)`, [mode]);
    await client.query(`PREPARE list AS ${sql}`);
    const literals = values.map((value) => quoteLiteral(value)).join(', ');
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE list${literals && ` (${literals})`}`,
    );
    await client.query('DEALLOCATE list');
    return rows[0]!['QUERY PLAN'][0].Plan;
  });
}

/** Counts the rows that were read from these tables. @param tables name prefixes, so that partitions count */
export function countRowsRead(plan: PlanNode, tables: string): number {
  const own = plan['Relation Name']?.startsWith(tables) ? countRead(plan) : 0;
  return (plan.Plans ?? []).reduce((sum, node) => sum + countRowsRead(node, tables), own);
}

function countRead(node: PlanNode): number {
  const dropped = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return (node['Actual Rows'] + dropped) * node['Actual Loops'];
}

function quoteLiteral(value: unknown): string {
  if (Array.isArray(value)) return `'{${value.join()}}'`;
  if (value instanceof Date) return `'${value.toISOString()}'`;
  return `'${String(value)}'`;
}
