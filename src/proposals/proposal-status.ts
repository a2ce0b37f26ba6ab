import { AppError, type FieldError } from '../platform/errors/app-error';
import type { Proposal } from './proposal.entity';

/** Statuses of a proposal. The CHECK of proposals.status lists the same. */
export const PROPOSAL_STATUSES = ['draft', 'submitted', 'accepted', 'rejected', 'withdrawn', 'archived'] as const;

/** One of PROPOSAL_STATUSES. */
export type ProposalStatus = (typeof PROPOSAL_STATUSES)[number];

/** The allowed steps: the statuses before and the status after each. */
const STEPS = {
  submit: { from: ['draft'], to: 'submitted' },
  accept: { from: ['submitted'], to: 'accepted' },
  reject: { from: ['submitted'], to: 'rejected' },
  withdraw: { from: ['submitted'], to: 'withdrawn' },
  archive: { from: ['submitted', 'accepted', 'rejected', 'withdrawn'], to: 'archived' },
} as const satisfies Record<string, { from: readonly ProposalStatus[]; to: ProposalStatus }>;

/** A step of a proposal; also the last part of its route. */
export type ProposalStep = keyof typeof STEPS;

/** All steps, in the usual order. */
export const PROPOSAL_STEPS = Object.keys(STEPS) as readonly ProposalStep[];

/**
 * Returns the status after `step`.
 * @throws AppError `proposal.wrong_step` with the steps that are possible
 */
export function getNextStatus(status: ProposalStatus, step: ProposalStep): ProposalStatus {
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

/** Fields that a submitted proposal must have. */
const REQUIRED_FIELDS = ['coverLetter', 'bidAmount', 'bidType'] as const;

/**
 * Checks that a draft has all fields it needs to be submitted.
 * @throws AppError `proposal.incomplete` with a pointer to each missing field
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
