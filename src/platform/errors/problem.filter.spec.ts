import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import { AppError } from './app-error';
import { asAppError, buildProblem } from './problem.filter';

function withStatus(statusCode: number, code: string): Error {
  return Object.assign(new Error('canary'), { statusCode, code });
}

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

const REDIS_UNAVAILABLE = [
  reply("OOM command not allowed when used memory > 'maxmemory'. script: canary, on @user_script:1."),
  reply('ERR Error running script (call to f_canary): @user_script:1: -OOM command not allowed'),
  reply("READONLY You can't write against a read only replica."),
  reply('NOREPLICAS Not enough good replicas to write.'),
  reply('LOADING Redis is loading the dataset in memory'),
  reply("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
  reply('CLUSTERDOWN The cluster is down'),
  reply('MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.'),
  reply('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'),
  Object.assign(reply('EXECABORT Transaction discarded because of previous errors.'), {
    previousErrors: [reply('OOM command not allowed')],
  }),
  new Error('Command timed out'),
  new Error('Connection is closed.'),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
];

describe(asAppError.name, () => {
  it.each<[string, unknown, string, number]>([
    ['an AppError', new AppError('job.not_found'), 'job.not_found', 404],
    ["Nest's 404", new NotFoundException('Cannot GET /x'), 'route.not_found', 404],
    ["Nest's 406", new HttpException('canary', 406), 'request.not_acceptable', 406],
    ["Nest's 408", new HttpException('canary', 408), 'request.timeout', 408],
    ["Nest's 400", new BadRequestException('canary'), 'request.malformed', 400],
    ['a status without a code', new HttpException('canary', 418), 'request.malformed', 400],
    ["Fastify's 415", withStatus(415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE'), 'request.media_type_unsupported', 415],
    ["Fastify's malformed URL", withStatus(400, 'FST_ERR_BAD_URL'), 'request.malformed_url', 400],
    ["Fastify's 503", withStatus(503, 'FST_ERR_X'), 'service.unavailable', 503],
    ["Fastify's 500", withStatus(500, 'FST_ERR_X'), 'internal', 500],
    ...REDIS_UNAVAILABLE.map((error): [string, unknown, string, number] => [
      `Redis's ${error.message}`,
      error,
      'service.unavailable',
      503,
    ]),
    [
      'a programming error in a Redis command',
      reply('WRONGTYPE Operation against a key holding the wrong kind of value'),
      'internal',
      500,
    ],
    ['a TypeError', new TypeError('canary'), 'internal', 500],
    ['a thrown string', 'canary', 'internal', 500],
    ['a thrown undefined', undefined, 'internal', 500],
  ])('maps %s', (_, thrown, code, status) => {
    const error = asAppError(thrown);

    expect([error.code, error.status]).toEqual([code, status]);
    if (status === 503) expect(error.headers).toHaveProperty('retry-after');
    expect(JSON.stringify(buildProblem(error, '/v1/x', 'r'))).not.toContain('canary');
  });
});

describe(buildProblem.name, () => {
  it('has the members of RFC 9457, code and requestId, and no empty ones', () => {
    expect(buildProblem(new AppError('job.not_found'), '/v1/jobs/1', 'r-1')).toEqual({
      type: '/docs/errors#job.not_found',
      title: 'Job not found',
      status: 404,
      detail: 'You have no job with this id.',
      instance: '/v1/jobs/1',
      code: 'job.not_found',
      requestId: 'r-1',
    });
  });

  it('has the detail and the errors of the fields', () => {
    const errors = [{ pointer: '/limit', code: 'min', message: 'limit must be a whole number from 1 to 100.' }];

    expect(buildProblem(new AppError('validation.failed', { detail: 'd', errors }), '/', 'r')).toMatchObject({
      detail: 'd',
      errors,
    });
  });

  it('stays below 64 KiB and counts the errors it leaves out', () => {
    const quoted = '\u0001'.repeat(100_000);
    const long = (length: number) => ({
      pointer: `/${quoted.slice(0, length)}`,
      code: 'max_length',
      message: 'too long',
    });

    const problem = buildProblem(
      new AppError('validation.failed', { detail: quoted, errors: Array.from({ length: 50 }, () => long(200)) }),
      `/${quoted}`,
      'r',
    );
    const oversized = buildProblem(new AppError('validation.failed', { errors: [long(100_000)] }), '/', 'r');

    expect(Buffer.byteLength(JSON.stringify(problem))).toBeLessThan(65_536);
    expect(problem.errors!.length + problem.errorsOmitted!).toBe(50);
    expect(problem.errors!.length).toBeGreaterThan(10);
    expect(oversized).toMatchObject({ errors: [], errorsOmitted: 1 });
  });
});
