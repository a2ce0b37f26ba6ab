import { Conditions } from '../platform/database/conditions';
import type { CursorKey } from '../platform/http/cursor-codec';
import type { AiGeneration } from './ai-generation.entity';
import type { ListGenerationsDto } from './dto/list-generations.dto';

/** A row of the list, with its sort value as PostgreSQL writes it: a Date loses the microseconds. */
export type GenerationRow = AiGeneration & { readonly sortKey: string };

/** Without the prompt: it is long, and no list shows it. */
const COLUMNS = `id, job_id AS "jobId", generation_type AS type, status, instructions, response, findings, provider, model_used AS model,
  input_ai_tokens AS "inputAiTokens", output_ai_tokens AS "outputAiTokens", cached_ai_tokens AS "cachedAiTokens", cost,
  usage_is_estimated AS "usageIsEstimated", price_list_version AS "priceListVersion", error, duration_ms AS "durationMs", version,
  created_at AS "createdAt", updated_at AS "updatedAt"`;

/** One page of the tenant's generations, newest first, behind the row with the keys `after`. */
export function listGenerations(
  { jobId, type, status }: ListGenerationsDto,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions()
    .add('job_id = $?', jobId)
    .anyOf('generation_type', type)
    .anyOf('status', status)
    .after('created_at, id', '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${COLUMNS}, created_at::text AS "sortKey" FROM ai_generations ${conditions.where}
     ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}
