import { PROPOSAL_STATUSES, PROPOSAL_STEPS, statusAfter, type ProposalStatus } from './proposal-status';

function opened(status: ProposalStatus): Record<string, ProposalStatus> {
  return Object.fromEntries(
    PROPOSAL_STEPS.flatMap((step) => {
      try {
        return [[step, statusAfter(status, step)]];
      } catch {
        return [];
      }
    }),
  );
}

describe(statusAfter.name, () => {
  it('opens exactly the steps of the contract', () => {
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

  it('names the open steps when it refuses one', () => {
    expect(() => statusAfter('accepted', 'submit')).toThrow('the proposal is accepted, it cannot submit; it can: archive');
    expect(() => statusAfter('archived', 'archive')).toThrow('no step is open to it');
    expect(() => statusAfter('draft', 'accept')).toThrow(expect.objectContaining({ code: 'proposal.wrong_step', status: 409 }));
  });
});
