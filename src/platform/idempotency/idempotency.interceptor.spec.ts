import { hashRequest } from './idempotency.interceptor';

describe(hashRequest.name, () => {
  const body = { title: 'é', b: [{ y: 1, x: null }, 2.5], 10: 'ten', 9: 'nine', a: { 2: true, Z: 1, z: 'ß' } };
  const reordered = { a: { z: 'ß', Z: 1, 2: true }, 9: 'nine', b: [{ x: null, y: 1 }, 2.5], title: 'é', 10: 'ten' };

  it.each([
    ['a body', body, 'dbc230d4d6fce18a5b637e5af55fbc690296f36a39462e91b7ff21bee55ff165'],
    ['its fields in another order', reordered, 'dbc230d4d6fce18a5b637e5af55fbc690296f36a39462e91b7ff21bee55ff165'],
    ['a list', [{ b: 1, a: 2 }], '58d89bddf64b59b633144329522d42f7d64b1e39f3122c2749283a1e69559fc4'],
    ['an empty object', {}, 'cecd4bccd35b9461b5b5ec15bc8d59322c8298915039077acaaffe35bfe47216'],
    ['no body', undefined, 'cecd4bccd35b9461b5b5ec15bc8d59322c8298915039077acaaffe35bfe47216'],
  ])('of %s equals that of stored responses', (_, given, hash) => {
    expect(hashRequest('POST', '/v1/jobs', given)).toBe(hash);
  });

  it('differs by method, URL, order of a list and value', () => {
    const hashes = [
      hashRequest('POST', '/v1/jobs', [1, 2]),
      hashRequest('PUT', '/v1/jobs', [1, 2]),
      hashRequest('POST', '/v1/jobs?x', [1, 2]),
      hashRequest('POST', '/v1/jobs', [2, 1]),
      hashRequest('POST', '/v1/jobs', ['1', 2]),
    ];

    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
