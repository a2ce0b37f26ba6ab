import { StorableTextFilter } from './output-filters';

describe(StorableTextFilter.name, () => {
  it('returns the same text for every split into chunks', () => {
    const whole = 'a😀b\0c👩‍💻';
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const text = new StorableTextFilter();

      expect(text.filter(whole.slice(0, cut)) + text.filter(whole.slice(cut)) + text.flush()).toBe('a😀bc👩‍💻');
    }
  });

  it('replaces unpaired surrogates', () => {
    const text = new StorableTextFilter();

    expect(text.filter('a\ud83d') + text.filter('b\ude00') + text.filter('\ud83d') + text.flush()).toBe(
      'a\ufffdb\ufffd\ufffd',
    );
  });
});
