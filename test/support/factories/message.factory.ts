/** Builds the body of a request that creates a client's message. */
export function buildMessage(values: Record<string, unknown> = {}): Record<string, unknown> {
  return { senderType: 'client', content: 'When can you start?', ...values };
}
