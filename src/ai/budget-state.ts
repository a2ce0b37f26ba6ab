/** What a tenant may spend and has spent; amounts are USD with 12 places, limits with two. */
export interface BudgetState {
  readonly dailyUsd: string | null;
  readonly monthlyUsd: string | null;
  readonly reservedUsd: string;
  readonly dayLimitUsd: string;
  readonly monthLimitUsd: string;
  readonly daySpentUsd: string;
  readonly monthSpentUsd: string;
  readonly dayRenewsAt: Date;
  readonly monthRenewsAt: Date;
}

/** What one model was used for. */
export interface ModelUsage {
  readonly provider: string;
  readonly model: string;
  readonly calls: number;
  readonly inputAiTokens: number;
  readonly outputAiTokens: number;
  readonly cachedAiTokens: number;
  readonly costUsd: string;
}
