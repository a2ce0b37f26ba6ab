import { asciiDomainOf, canonicalEmail, emailHash, hasMailDomain, normalEmail } from './email';

describe(canonicalEmail.name, () => {
  it.each([
    ['Ann@Example.COM', 'ann@example.com'],
    ['ann@bücher.example', 'ann@xn--bcher-kva.example'],
    ['ann@bu\u0308cher.example', 'ann@xn--bcher-kva.example'],
    ['ann@BÜCHER.example', 'ann@xn--bcher-kva.example'],
    ['ann@XN--Bcher-KVA.example', 'ann@xn--bcher-kva.example'],
    ['Ганна@пошта.укр', 'ганна@xn--80a1acn3a.xn--j1amh'],
    ['ann@faß.example', 'ann@xn--fa-hia.example'],
  ])('converts %s to %s', (email, canonical) => {
    expect(canonicalEmail(email)).toBe(canonical);
    expect(emailHash(Buffer.from('k'), email)).toEqual(emailHash(Buffer.from('k'), canonical));
  });
});

describe(asciiDomainOf.name, () => {
  it('returns null for a domain in ASCII', () => {
    expect([asciiDomainOf('ann@Example.com'), asciiDomainOf('ann@xn--bcher-kva.example')]).toEqual([null, null]);
    expect(asciiDomainOf('ann@bücher.example')).toBe('xn--bcher-kva.example');
  });
});

describe(hasMailDomain.name, () => {
  it('rejects domains without an ASCII form', () => {
    expect(hasMailDomain('ann@bücher.example')).toBe(true);
    expect(hasMailDomain('ann@xn--a.example')).toBe(false);
    expect(hasMailDomain(`ann@${'ü.'.repeat(60)}example`)).toBe(false);
  });
});

describe(normalEmail.name, () => {
  it('keeps a domain in Unicode', () => {
    expect(normalEmail('Ann@Bu\u0308cher.example')).toBe('ann@bücher.example');
  });
});
