import { assertServedFairly, stressRooms } from './rooms';

describe(stressRooms.name, () => {
  it('reads many rooms in fair order within the calls of several days, then only the changed ones', async () => {
    const result = await stressRooms({ rooms: 80, busy: 72, callsPerDay: 100, busyDays: 3 });

    expect(assertServedFairly(result)).toMatchObject({ rooms: 80, maxCalls: 90, callsAtRest: 3 });
  });
});
