import {
  assertComplete,
  PROPOSAL_STATUSES,
  PROPOSAL_STEPS,
  type ProposalStatus,
  getNextStatus,
} from './proposal-status';

function opened(status: ProposalStatus): Record<string, ProposalStatus> {
  return Object.fromEntries(
    PROPOSAL_STEPS.flatMap((step) => {
      try {
        return [[step, getNextStatus(status, step)]];
      } catch {
        return [];
      }
    }),
  );
}

describe(getNextStatus.name, () => {
  it('allows exactly the steps of the contract', () => {
    const table = Object.fromEntries(PROPOSAL_STATUSES.map((status) => [status, opened(status)]));

    expect(table).toEqual({
      draft: { submit: 'submitted' },
      submitted: { accept: 'accepted', reject: 'rejected', withdraw: 'withdrawn', archive: 'archived' },
      accepted: { archive: 'archived' },
      rejected: { archive: 'archived' },
      withdrawn: { archive: 'archived' },
      archived: {},
    });
  });

  it('names the possible steps when it refuses one', () => {
    expect(() => getNextStatus('accepted', 'submit')).toThrow(
      'An accepted proposal cannot be submitted. Possible now: archive.',
    );
    expect(() => getNextStatus('submitted', 'submit')).toThrow(
      'A submitted proposal cannot be submitted again. Possible now: accept, reject, withdraw, archive.',
    );
    expect(() => getNextStatus('archived', 'archive')).toThrow(
      'An archived proposal cannot be archived again. No step is possible any more.',
    );
    expect(() => getNextStatus('draft', 'accept')).toThrow(
      expect.objectContaining({ code: 'proposal.wrong_step', status: 409 }),
    );
  });
});

describe(assertComplete.name, () => {
  it('accepts a complete proposal', () => {
    expect(() => assertComplete({ coverLetter: 'x', bidAmount: '0.00', bidType: 'fixed' })).not.toThrow();
  });

  it('names every missing field', () => {
    expect(() => assertComplete({ coverLetter: null, bidAmount: '45.00', bidType: null })).toThrow(
      expect.objectContaining({
        code: 'proposal.incomplete',
        errors: [
          { pointer: '/coverLetter', code: 'required', message: 'coverLetter is needed to submit' },
          { pointer: '/bidType', code: 'required', message: 'bidType is needed to submit' },
        ],
      }),
    );
  });
});
