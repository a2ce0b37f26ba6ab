import type { Caller } from './caller';

/** An email as GET /v1/dev/outbox returns it. */
export interface OutboxEmail {
  readonly id: number;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly createdAt: string;
}

/** Returns the emails to an address, newest first. */
export async function listEmails(admin: Caller, email: string): Promise<OutboxEmail[]> {
  const answer = await admin.get<{ items: OutboxEmail[] }>(`/v1/dev/outbox?to=${encodeURIComponent(email)}`);
  if (answer.status !== 200) throw new Error(`the outbox answered ${answer.status}`);
  return answer.body.items;
}

/** Returns the token in the link of an email. */
export function findToken(mail: OutboxEmail | undefined): string {
  const [, token] = /[?&]token=([\w-]+)/.exec(mail?.text ?? '') ?? [];
  if (token === undefined) throw new Error('no email with a link');
  return token;
}
