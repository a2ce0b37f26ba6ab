import { StorableText } from './storable-text';

describe(StorableText.name, () => {
  it('gives the same text however it is cut', () => {
    const whole = 'a😀b\0c👩‍💻';
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const text = new StorableText();

      expect(text.next(whole.slice(0, cut)) + text.next(whole.slice(cut)) + text.end()).toBe('a😀bc👩‍💻');
    }
  });

  it('replaces halves that never meet their other', () => {
    const text = new StorableText();

    expect(text.next('a\ud83d') + text.next('b\ude00') + text.next('\ud83d') + text.end()).toBe('a\ufffdb\ufffd\ufffd');
  });
});
