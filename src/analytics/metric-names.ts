/** What the task record-daily-metrics counts; a user writes metrics of other names. */
export const COUNTED_METRICS = ['jobs_seen', 'proposals_sent', 'answers', 'wins', 'ai_cost_usd'] as const;

/** Whether the task writes the metric. */
export function isCounted(metric: string): boolean {
  return (COUNTED_METRICS as readonly string[]).includes(metric);
}

/** How answers write a value: numeric(15,2). */
export const METRIC_VALUE_PATTERN = '^-?\\d{1,13}\\.\\d{2}$';
