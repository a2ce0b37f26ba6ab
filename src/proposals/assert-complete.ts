import { AppError, type FieldError } from '../platform/errors/app-error';
import type { Proposal } from './proposal.entity';

/** What a client must be able to read in a proposal. */
const NEEDED = ['coverLetter', 'bidAmount', 'bidType'] as const;

/**
 * Lets a draft be submitted only when it says what it must.
 * @throws AppError `proposal.incomplete` with a pointer to each field that is missing
 */
export function assertComplete(proposal: Pick<Proposal, (typeof NEEDED)[number]>): void {
  const errors = NEEDED.filter((field) => proposal[field] === null).map((field): FieldError => ({
    pointer: `/${field}`,
    code: 'required',
    message: `${field} is needed to submit`,
  }));
  if (errors.length === 0) return;
  throw new AppError('proposal.incomplete', { detail: errors.map(({ message }) => message).join('; '), errors });
}
