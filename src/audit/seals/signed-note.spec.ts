import { formatCheckpoint, NoteSigner, NoteVerifier, parseCheckpoint } from './signed-note';

/** The example of the specification. @see https://c2sp.org/signed-note */
const EXAMPLE_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const EXAMPLE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

const SEED = Buffer.alloc(32, 7);
const CHECKPOINT = {
  origin: 'gigvault.example.org/audit',
  size: 20_852_163,
  root: Buffer.alloc(32, 3),
  extension: 'floors 1 2\n',
};

describe(NoteVerifier.name, () => {
  it('verifies the example of the specification', () => {
    const verifier = NoteVerifier.parse(EXAMPLE_KEY);

    expect(verifier.verify(EXAMPLE)).toContain('your problem is.\n');
    expect(verifier.text).toBe(EXAMPLE_KEY);
  });

  it.each([
    ['a changed text', (note: string) => note.replace('20852163', '20852164')],
    ['a changed signature', (note: string) => note.replace(/.{4}=*\n$/, 'AAAA\n')],
    ['another name', (note: string) => note.replace('\u2014 gigvault', '\u2014 gigvauIt')],
    ['no signature', (note: string) => note.slice(0, note.indexOf('\u2014'))],
    ['text after the signature', (note: string) => `${note}x`],
  ])('refuses a note with %s', (_, change) => {
    const signer = new NoteSigner(CHECKPOINT.origin, SEED);
    const note = signer.sign(formatCheckpoint(CHECKPOINT));

    expect(signer.verifier.verify(note)).toBe(formatCheckpoint(CHECKPOINT));
    expect(change(note)).not.toBe(note);
    expect(signer.verifier.verify(change(note))).toBeUndefined();
  });

  it('finds its signature among those of others, and no other key in its place', () => {
    const signer = new NoteSigner(CHECKPOINT.origin, SEED);
    const other = new NoteSigner(CHECKPOINT.origin, Buffer.alloc(32, 8));
    const text = formatCheckpoint(CHECKPOINT);
    const both = other.sign(text) + signer.sign(text).split('\n\n')[1]!;

    expect(signer.verifier.verify(both)).toBe(text);
    expect(signer.verifier.verify(other.sign(text))).toBeUndefined();
  });

  it.each(['', 'name', 'a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', EXAMPLE_KEY.replace('c7', 'c8')])(
    'refuses %j as a verifier key',
    (text) => expect(() => NoteVerifier.parse(text)).toThrow('verifier key'),
  );
});

describe(parseCheckpoint.name, () => {
  it('reads what formatCheckpoint writes', () => {
    expect(parseCheckpoint(formatCheckpoint(CHECKPOINT))).toEqual(CHECKPOINT);
    expect(formatCheckpoint(CHECKPOINT).split('\n').slice(0, 2)).toEqual(['gigvault.example.org/audit', '20852163']);
  });

  it.each(['', 'origin\n', 'origin\n01\nAAAA\n', 'origin\n1\nAAAA\n', '\n1\n'])('refuses %j', (text) =>
    expect(() => parseCheckpoint(text)).toThrow('not a checkpoint'),
  );
});
