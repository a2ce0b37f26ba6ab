import type { Caller } from './caller';

/** A letter as GET /v1/dev/outbox shows it. */
export interface OutboxEmail {
  readonly id: number;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly createdAt: string;
}

/** The letters to an address, newest first. */
export async function listEmails(admin: Caller, email: string): Promise<OutboxEmail[]> {
  const answer = await admin.get<{ items: OutboxEmail[] }>(`/v1/dev/outbox?to=${encodeURIComponent(email)}`);
  if (answer.status !== 200) throw new Error(`the outbox answered ${answer.status}`);
  return answer.body.items;
}

/** The token in the link of a letter. */
export function findToken(mail: OutboxEmail | undefined): string {
  const [, token] = /[?&]token=([\w-]+)/.exec(mail?.text ?? '') ?? [];
  if (token === undefined) throw new Error('no letter with a link');
  return token;
}
