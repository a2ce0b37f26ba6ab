import { stressReplies } from './replies';

describe(stressReplies.name, () => {
  it('sends each reply at most once, and shows the truth after cut connections and kills', async () => {
    const result = await stressReplies({ rounds: 8 });

    expect(result).toEqual({
      ...{ rounds: 8, kills: 4, cuts: 4, doubled: 0, found: 4, unknown: 4, wrong: 0, wrongReplays: 0 },
    });
  });
});
