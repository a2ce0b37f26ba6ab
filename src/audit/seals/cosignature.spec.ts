import { countSignatures, cosign, createNoteKey, WITNESS_KEY } from '../../../test/support/c2sp-notes';
import { parseNote, parseSignatureLines } from './signed-note';
import { CosignatureSigner, CosignatureVerifier } from './cosignature';

/** A public witness, and a cosignature of another one, from the tests of transparency-dev/formats. */
const PUBLIC_WITNESS = 'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2';
const PUBLIC_COSIGNATURE =
  'ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA==';

const SEED = Buffer.alloc(32, 7);
const NAME = 'w.example.org/witness';
const TEXT = `example.com/behind-the-sofa\n20852163\n${Buffer.alloc(32, 3).toString('base64')}\n`;

const signaturesOf = (lines: string) => parseSignatureLines(lines)!;

describe(CosignatureVerifier.name, () => {
  it('has the key ids of other implementations', () => {
    const key = Buffer.from(PUBLIC_WITNESS.split('+')[2]!, 'base64').subarray(1);

    expect(new CosignatureVerifier('remora.n621.de', key).text).toBe(PUBLIC_WITNESS);
    const other = createNoteKey(NAME, WITNESS_KEY, SEED);
    expect(new CosignatureSigner(NAME, SEED).verifier.text).toBe(other.text);
  });

  it('reads the time where other implementations write it', () => {
    const { signature } = signaturesOf(`\u2014 a ${PUBLIC_COSIGNATURE}\n`)[0]!;

    expect(signature.length).toBe(72);
    expect(Number(signature.readBigUInt64BE())).toBe(1_727_964_367);
  });

  it('accepts what an independent witness signs, and an independent log accepts what it signs', () => {
    const other = createNoteKey(NAME, WITNESS_KEY, SEED);
    const signer = new CosignatureSigner(NAME, SEED);

    const line = cosign(TEXT, other, 1_679_315_147);
    expect(signer.verifier.find(TEXT, signaturesOf(line))).toEqual({ time: 1_679_315_147, line });
    expect(signer.sign(TEXT, 1_679_315_147)).toBe(line);
    expect(countSignatures(`${TEXT}\n${signer.sign(TEXT, 1)}`, other)).toBe(1);
  });

  it.each<[string, (line: string) => string]>([
    ['another name', (line) => line.replace('\u2014 w', '\u2014 v')],
    ['a changed time', (line) => line.replace(/(\S{8})A/, '$1B')],
    ['a changed signature', (line) => line.replace(/\S{4}\n$/, 'AAAA\n')],
    ['a signature of a log', () => `\u2014 ${NAME} ${Buffer.alloc(68).toString('base64')}\n`],
    ['one of two wrong', (line) => line + line.replace(/\S{4}\n$/, 'AAAA\n')],
  ])('refuses %s', (_, change) => {
    const signer = new CosignatureSigner(NAME, SEED);
    const line = signer.sign(TEXT, 1_679_315_147);

    expect(change(line)).not.toBe(line);
    expect(signer.verifier.find(TEXT, signaturesOf(change(line)))).toBeUndefined();
  });

  it('covers the lines after the root', () => {
    const signer = new CosignatureSigner(NAME, SEED);
    const note = parseNote(`${TEXT}more\n\n${signer.sign(`${TEXT}more\n`, 1)}`)!;

    expect(signer.verifier.find(note.text, note.signatures)?.time).toBe(1);
    expect(signer.verifier.find(TEXT, note.signatures)).toBeUndefined();
  });
});
