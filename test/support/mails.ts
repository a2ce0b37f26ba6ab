import type { Caller } from './caller';

/** A letter as GET /v1/dev/outbox shows it. */
export interface ReadMail {
  readonly id: number;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly createdAt: string;
}

/** The letters to an address, newest first. */
export async function mailsTo(admin: Caller, email: string): Promise<ReadMail[]> {
  const answer = await admin.get<{ items: ReadMail[] }>(`/v1/dev/outbox?to=${encodeURIComponent(email)}`);
  if (answer.status !== 200) throw new Error(`the outbox answered ${answer.status}`);
  return answer.body.items;
}

/** The token in the link of a letter. */
export function tokenOf(mail: ReadMail | undefined): string {
  const [, token] = /[?&]token=([\w-]+)/.exec(mail?.text ?? '') ?? [];
  if (token === undefined) throw new Error('no letter with a link');
  return token;
}
