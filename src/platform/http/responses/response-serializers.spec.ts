import type { OpenAPIObject } from '@nestjs/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { rememberSerialized } from '../../cache/serialized-json';
import { registerResponseSerializers } from './response-serializers';

const DOCUMENT = {
  paths: {
    '/users/{id}/things': {
      get: {
        responses: {
          '200': { content: { 'application/json': { schema: { $ref: '#/components/schemas/Things' } } } },
        },
      },
    },
  },
  components: {
    schemas: {
      Things: {
        type: 'object',
        properties: { items: { type: 'array', items: { $ref: '#/components/schemas/Thing' } } },
      },
      Thing: {
        type: 'object',
        properties: {
          at: { type: ['string', 'null'], format: 'date-time' },
          client: { type: 'object', additionalProperties: true },
        },
      },
    },
  },
} as unknown as OpenAPIObject;

describe(registerResponseSerializers.name, () => {
  const documentOf = jest.fn(() => DOCUMENT);
  let app: FastifyInstance;

  beforeEach(() => {
    app = fastify();
    registerResponseSerializers(app, documentOf);
    const items = [
      { at: new Date(0), client: { rating: 4.5 }, secret: 'x' },
      { at: null, client: {} },
    ];
    app.get('/users/:id/things', () => ({ items }));
    app.get('/others', () => ({ items }));
    app.get('/one', () => ({ secret: 'x' }));
  });
  afterEach(() => app.close());

  it('writes a list as its DTO declares it, and nothing else of it', async () => {
    const { json, headers } = await app
      .inject('/users/7/things')
      .then((answer) => ({ json: answer.json<unknown>(), headers: answer.headers }));

    expect(json).toEqual({
      items: [
        { at: '1970-01-01T00:00:00.000Z', client: { rating: 4.5 } },
        { at: null, client: {} },
      ],
    });
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('sends a value as the JSON that was noted of it', async () => {
    const value = { title: 'x' };
    rememberSerialized(value, '{"title":"as noted"}');
    app.get('/noted', () => value);

    const { body, headers } = await app.inject('/noted');

    expect(body).toBe('{"title":"as noted"}');
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('leaves to JSON.stringify what the document does not know and what is no list', async () => {
    expect((await app.inject('/others')).json<{ items: object[] }>().items[0]).toMatchObject({ secret: 'x' });
    expect((await app.inject('/one')).json()).toEqual({ secret: 'x' });
  });
});
