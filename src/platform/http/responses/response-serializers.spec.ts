import type { OpenAPIObject } from '@nestjs/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { rememberSerialized } from '../../cache/shared-cache-store';
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

  it('sends only the fields that the DTO of a list declares', async () => {
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

  it('sends the remembered JSON of a value', async () => {
    const value = { title: 'x' };
    rememberSerialized(value, '{"title":"remembered"}');
    app.get('/remembered', () => value);

    const { body, headers } = await app.inject('/remembered');

    expect(body).toBe('{"title":"remembered"}');
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('uses JSON.stringify for unknown routes and single resources', async () => {
    expect((await app.inject('/others')).json<{ items: object[] }>().items[0]).toMatchObject({ secret: 'x' });
    expect((await app.inject('/one')).json()).toEqual({ secret: 'x' });
  });
});
