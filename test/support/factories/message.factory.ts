/** What a client of the API sends to store a message of a client. */
export function buildMessage(values: Record<string, unknown> = {}): Record<string, unknown> {
  return { senderType: 'client', content: 'When can you start?', ...values };
}
