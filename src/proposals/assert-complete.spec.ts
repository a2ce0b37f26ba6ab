import { assertComplete } from './assert-complete';

describe(assertComplete.name, () => {
  it('lets a proposal pass that says all it must', () => {
    expect(() => assertComplete({ coverLetter: 'x', bidAmount: '0.00', bidType: 'fixed' })).not.toThrow();
  });

  it('names every field that is missing', () => {
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
