import { stressStatusCorrection, type StatusCorrection } from '../stress/database/status-correction';

describe('the correction of statuses from earlier versions', () => {
  let result: StatusCorrection;
  beforeAll(async () => {
    result = await stressStatusCorrection({ rows: 400 });
  });

  it('counts proposals as sent that were taken for won, and as drafts what did not reach the client', () => {
    expect(result.before).toEqual({
      'ACCEPTED accepted': 40,
      'ACCEPTED archived': 10,
      'Activated accepted': 40,
      'Activated archived': 10,
      'DECLINED rejected': 50,
      'HIRED accepted': 40,
      'HIRED archived': 10,
      'OFFERED accepted': 40,
      'OFFERED archived': 10,
      'PENDING submitted': 50,
      'WITHDRAWN withdrawn': 50,
      draft: 2,
      submitted: 50,
    });
    expect(result.after).toEqual({
      // Two have a later draft for the same job, and only one proposal of a job may be open.
      'ACCEPTED archived': 12,
      'ACCEPTED submitted': 38,
      'Activated archived': 10,
      'Activated submitted': 40,
      'DECLINED rejected': 50,
      'HIRED accepted': 40,
      'HIRED archived': 10,
      'OFFERED archived': 10,
      'OFFERED submitted': 40,
      'PENDING draft': 50,
      'WITHDRAWN withdrawn': 50,
      draft: 2,
      submitted: 50,
    });
    expect([result.wonBefore, result.wonAfter]).toEqual([200, 50]);
  });

  it('is reversible', () => {
    expect(result.isRestored).toBe(true);
  });
});
