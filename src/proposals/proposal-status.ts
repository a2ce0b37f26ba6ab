import { AppError, type FieldError } from '../platform/errors/app-error';
import type { Proposal } from './proposal.entity';

/** Where a proposal can stand; the CHECK of proposals.status lists the same. */
export const PROPOSAL_STATUSES = ['draft', 'submitted', 'accepted', 'rejected', 'withdrawn', 'archived'] as const;

/** Where a proposal stands. */
export type ProposalStatus = (typeof PROPOSAL_STATUSES)[number];

/** THE table of steps: where each may begin and where it leads. */
const STEPS = {
  submit: { from: ['draft'], to: 'submitted' },
  accept: { from: ['submitted'], to: 'accepted' },
  reject: { from: ['submitted'], to: 'rejected' },
  withdraw: { from: ['submitted'], to: 'withdrawn' },
  archive: { from: ['submitted', 'accepted', 'rejected', 'withdrawn'], to: 'archived' },
} as const satisfies Record<string, { from: readonly ProposalStatus[]; to: ProposalStatus }>;

/** A step a proposal can take; also the last part of its route. */
export type ProposalStep = keyof typeof STEPS;

/** All steps, in the order a proposal may take them. */
export const PROPOSAL_STEPS = Object.keys(STEPS) as readonly ProposalStep[];

/**
 * Returns where `step` leads from `status`.
 * @throws AppError `proposal.wrong_step`, naming the steps that are open
 */
export function statusAfter(status: ProposalStatus, step: ProposalStep): ProposalStatus {
  if (isOpen(status, step)) return STEPS[step].to;
  const open = PROPOSAL_STEPS.filter((candidate) => isOpen(status, candidate));
  const article = /^[aeiou]/.test(status) ? 'An' : 'A';
  const { to } = STEPS[step];
  const rest = open.length > 0 ? `Possible now: ${open.join(', ')}.` : 'No step is possible any more.';
  throw new AppError('proposal.wrong_step', {
    detail: `${article} ${status} proposal cannot be ${to}${to === status ? ' again' : ''}. ${rest}`,
  });
}

function isOpen(status: ProposalStatus, step: ProposalStep): boolean {
  const from: readonly ProposalStatus[] = STEPS[step].from;
  return from.includes(status);
}

/** What a client must be able to read in a proposal. */
const REQUIRED_FIELDS = ['coverLetter', 'bidAmount', 'bidType'] as const;

/**
 * Lets a draft be submitted only when it says what it must.
 * @throws AppError `proposal.incomplete` with a pointer to each field that is missing
 */
export function assertComplete(proposal: Pick<Proposal, (typeof REQUIRED_FIELDS)[number]>): void {
  const errors = REQUIRED_FIELDS.filter((field) => proposal[field] === null).map((field): FieldError => ({
    pointer: `/${field}`,
    code: 'required',
    message: `${field} is needed to submit`,
  }));
  if (errors.length === 0) return;
  throw new AppError('proposal.incomplete', { detail: errors.map(({ message }) => message).join('; '), errors });
}
