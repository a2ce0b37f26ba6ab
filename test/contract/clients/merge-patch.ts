import assert from 'node:assert/strict';
import * as schemas from '../../../dist/clients/zod';

/** Checks that a client that parses its body sends only the given fields. */
assert.deepEqual(schemas.updateJobBody.parse({ isFavorite: true }), { isFavorite: true });
assert.deepEqual(schemas.updateProposalBody.parse({ bidAmount: '45.5' }), { bidAmount: '45.5' });
assert.deepEqual(schemas.putProfileBody.parse({ headline: 'x' }), { headline: 'x' });
assert.deepEqual(schemas.createJobBody.parse({ title: 'x' }), { title: 'x' });
