import { ACCOUNT_CASES } from './cases/account-cases';
import { CONVERSATION_CASES } from './cases/conversation-cases';
import { FAILURE_CASES } from './cases/failure-cases';
import type { FakeCase } from './cases/fake-case';
import { JOB_DETAILS_CASES } from './cases/job-details-cases';
import { SEARCH_CASES } from './cases/job-cases';
import { PROPOSAL_CASES } from './cases/proposal-cases';
import type { Endpoint } from './fake-faults';

/** Every case by name. The values are invented; their shapes are those of Upwork's answers. */
export const FAKE_CASES = {
  ...ACCOUNT_CASES,
  ...SEARCH_CASES,
  ...JOB_DETAILS_CASES,
  ...PROPOSAL_CASES,
  ...CONVERSATION_CASES,
  ...FAILURE_CASES,
} satisfies Record<string, FakeCase>;

/** The cases that the fake will serve, each once. */
export class FakeCaseQueue {
  private readonly pending: FakeCase[] = [];

  /** Serves a case at the next call to its endpoint that asks for its field. @throws Error for an unknown name */
  serve(name: string): void {
    const found = Object.entries(FAKE_CASES).find(([each]) => each === name)?.[1];
    if (!found) throw new Error(`The fake has no case ${name}. It has: ${Object.keys(FAKE_CASES).join(', ')}`);
    this.pending.push(found);
  }

  clear(): void {
    this.pending.length = 0;
  }

  /** Takes the next case of an endpoint that does not depend on the document. */
  takeAny(endpoint: Endpoint): FakeCase | undefined {
    return this.take((each) => each.endpoint === endpoint && each.field === undefined);
  }

  /** Takes the next case for a document with these fields at its top. */
  takeFor(fields: readonly string[]): FakeCase | undefined {
    return this.take(({ field }) => field !== undefined && fields.includes(field));
  }

  private take(matches: (each: FakeCase) => boolean): FakeCase | undefined {
    const index = this.pending.findIndex(matches);
    return index < 0 ? undefined : this.pending.splice(index, 1)[0];
  }
}
