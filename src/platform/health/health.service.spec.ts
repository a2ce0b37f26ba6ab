import { shortReason } from './health.service';

describe(shortReason.name, () => {
  it.each<[object, string]>([
    [{ code: '53100', message: 'could not extend file "base/1/canary"' }, 'disk full'],
    [{ code: '53300', message: 'too many clients already' }, 'out of resources'],
    [{ code: '57P03', message: 'the database system is starting up' }, 'starting'],
    [{ code: 'GV001', message: 'the signature of the context has expired' }, 'clocks differ'],
    [{ message: 'timeout exceeded when trying to connect' }, 'no free connection'],
    [{ message: 'OOM command not allowed' }, 'out of memory'],
    [{ message: 'READONLY canary' }, 'read-only'],
    [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED canary' }, 'not reachable'],
  ])('maps %j to %s', (error, reason) => {
    expect(shortReason(Object.assign(new Error(), error))).toBe(reason);
  });
});
