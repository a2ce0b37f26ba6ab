/** Builds the body of a request that drafts a proposal that can be submitted at once. */
export function buildProposal(values: { jobId: number } & Record<string, unknown>): Record<string, unknown> {
  return { coverLetter: 'I have done this three times.', bidAmount: '45.00', bidType: 'hourly', ...values };
}
