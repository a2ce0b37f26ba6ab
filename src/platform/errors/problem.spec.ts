import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import { AppError } from './app-error';
import { asAppError, problemOf } from './problem';

function withStatus(statusCode: number, code: string): Error {
  return Object.assign(new Error('canary'), { statusCode, code });
}

describe('asAppError', () => {
  it.each<[string, unknown, string, number]>([
    ['an AppError', new AppError('job.not_found'), 'job.not_found', 404],
    ["Nest's 404", new NotFoundException('Cannot GET /x'), 'route.not_found', 404],
    ["Nest's 400", new BadRequestException('canary'), 'request.malformed', 400],
    ['a status of no code of its own', new HttpException('canary', 418), 'request.malformed', 400],
    ["Fastify's 415", withStatus(415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE'), 'request.media_type_unsupported', 415],
    ["Fastify's malformed URL", withStatus(400, 'FST_ERR_BAD_URL'), 'request.malformed_url', 400],
    ["Fastify's 503", withStatus(503, 'FST_ERR_X'), 'service.unavailable', 503],
    ["Fastify's 500", withStatus(500, 'FST_ERR_X'), 'internal', 500],
    ['a TypeError', new TypeError('canary'), 'internal', 500],
    ['a thrown string', 'canary', 'internal', 500],
    ['a thrown nothing', undefined, 'internal', 500],
  ])('makes %s', (_, thrown, code, status) => {
    const error = asAppError(thrown);

    expect([error.code, error.status]).toEqual([code, status]);
    expect(JSON.stringify(problemOf(error, '/v1/x', 'r'))).not.toContain('canary');
  });
});

describe('problemOf', () => {
  it('has the members of RFC 9457 and ours, and no empty ones', () => {
    expect(problemOf(new AppError('job.not_found'), '/v1/jobs/1', 'r-1')).toEqual({
      type: '/docs/errors#job.not_found',
      title: 'There is no such job',
      status: 404,
      instance: '/v1/jobs/1',
      code: 'job.not_found',
      requestId: 'r-1',
    });
  });

  it('tells the detail and the fields', () => {
    const errors = [{ pointer: '/limit', code: 'min', message: 'limit must not be less than 1' }];

    expect(problemOf(new AppError('validation.failed', { detail: 'd', errors }), '/', 'r')).toMatchObject({ detail: 'd', errors });
  });
});
