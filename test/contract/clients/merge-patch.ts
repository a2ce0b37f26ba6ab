import assert from 'node:assert/strict';
import * as schemas from '../../../dist/clients/zod';

/** A client that parses its body before it sends it sends what its caller gave, and nothing else. */
assert.deepEqual(schemas.jobsUpdateBody.parse({ isFavorite: true }), { isFavorite: true });
assert.deepEqual(schemas.proposalsUpdateBody.parse({ bidAmount: '45.5' }), { bidAmount: '45.5' });
assert.deepEqual(schemas.profilePutBody.parse({ headline: 'x' }), { headline: 'x' });
assert.deepEqual(schemas.jobsCreateBody.parse({ title: 'x' }), { title: 'x' });
