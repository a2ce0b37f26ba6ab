import type { TaskDto } from '../../api/tasks/tasks.dto';
import type { PartitionCoverageDto } from '../../api/database/partitions.dto';
import {
  checkAiSpending,
  checkBackups,
  checkConnections,
  checkDeliveries,
  checkPartitions,
  checkRuns,
  checkSchedule,
  checkServices,
  checkSignIns,
  checkCapabilities,
  checkUpworkCalls,
  checkUpworkDocuments,
  checkJobStatistics,
} from './health-statuses';
import type { OpenRun } from './overview.service';

const NOW = new Date('2026-01-31T12:00:00Z');

function buildTask(parts: Partial<TaskDto> = {}): TaskDto {
  return {
    id: 'a-task',
    paused: false,
    nextRunAt: new Date(NOW.getTime() + 60_000),
    usualDurationMs: 100,
    lastRun: null,
    ...parts,
  } as TaskDto;
}

function buildRun(parts: Partial<OpenRun>): OpenRun {
  return { id: 7, task: 'a-task', outcome: 'running', attempts: 1, forMs: 0, error: null, ...parts };
}

describe('health statuses', () => {
  it('warn about a key management service, which installations without one do not show', () => {
    const checks = { postgres: { status: 'ok' }, redis: { status: 'failed', detail: 'not reachable' } } as const;
    const encryption = { status: 'warning', detail: 'master key v1, since noon' } as const;

    const statuses = checkServices({ status: 'not_ready', checks: { ...checks, encryption } });

    expect(statuses.map(({ level, text }) => [level, text])).toEqual([
      ['good', 'answers'],
      ['bad', 'not reachable'],
      ['warn', 'master key v1, since noon'],
    ]);
    expect(checkServices({ status: 'not_ready', checks })).toHaveLength(2);
  });

  it('warn while a run is being retried, with the reason', () => {
    const status = checkRuns([], [buildRun({ outcome: 'retrying', attempts: 2, error: 'the disk is full' })]);

    expect(status).toMatchObject({
      level: 'warn',
      text: 'run 7 of a-task is being retried after attempt 2 failed: the disk is full',
      href: '/admin/runs/7',
    });
  });

  it('fail while a failed run is unresolved', () => {
    expect(checkRuns([{ id: 3, task: 'a-task', error: 'x' }], [])).toMatchObject({
      level: 'bad',
      text: 'failed and not succeeded since: a-task',
    });
    expect(checkRuns([], [buildRun({})])).toMatchObject({ level: 'good' });
  });

  it.each<[string, TaskDto[], OpenRun[], string, string]>([
    ['all tasks are on time', [buildTask()], [], 'good', '1 task on schedule'],
    ['a task is paused', [buildTask({ paused: true, nextRunAt: null })], [], 'warn', 'paused: a-task'],
    ['no worker has started', [buildTask({ nextRunAt: null })], [], 'bad', 'no worker has scheduled a-task'],
    [
      'no worker takes a due task',
      [buildTask({ nextRunAt: new Date(NOW.getTime() - 180_000) })],
      [],
      'bad',
      'no worker takes a-task, which is due',
    ],
    [
      'a run stays queued',
      [buildTask()],
      [buildRun({ outcome: 'queued', forMs: 180_000 })],
      'bad',
      'run 7 of a-task is queued and no worker takes it',
    ],
    [
      'a run takes much longer than usual',
      [buildTask()],
      [buildRun({ forMs: 90_000 })],
      'warn',
      'run 7 of a-task has been running for 90 s',
    ],
    [
      'a run takes as long as usual',
      [buildTask({ usualDurationMs: 60_000 })],
      [buildRun({ forMs: 90_000 })],
      'good',
      '1 task on schedule',
    ],
  ])('report the schedule when %s', (_case, tasks, open, level, text) => {
    expect(checkSchedule(tasks, open, [], NOW)).toMatchObject({ level, text });
  });

  it('report each task alert once', () => {
    const missed = { task: 'a-task', kind: 'missed' as const, reason: 'was due at noon and no worker took it' };
    expect(checkSchedule([buildTask()], [], [missed], NOW)).toMatchObject({
      level: 'bad',
      text: 'a-task was due at noon and no worker took it',
    });
    expect(checkSchedule([buildTask({ nextRunAt: null })], [], [missed], NOW)).toMatchObject({
      level: 'bad',
      text: 'no worker has scheduled a-task',
    });
    expect(checkSchedule([buildTask()], [], [{ ...missed, kind: 'overlong', reason: 'long' }], NOW)).toMatchObject({
      level: 'warn',
      text: 'a-task: long',
    });
  });

  it('report the coverage of partitions', () => {
    const check = (parts: Partial<PartitionCoverageDto>) =>
      checkPartitions([
        {
          table: 'a',
          isCovered: true,
          coveredUntil: null,
          daysCovered: 400,
          rowsInDefault: 0,
          oldestInDefault: null,
          newestInDefault: null,
          ...parts,
        },
      ]);

    expect(check({})).toMatchObject({ level: 'good', text: '1 table is covered for 400 days' });
    expect(check({ rowsInDefault: 2 })).toMatchObject({
      level: 'warn',
      text: '2 rows of a are in its default partition',
    });
    expect(check({ daysCovered: 20 })).toMatchObject({ level: 'bad', text: 'a is covered for only 20 days' });
    expect(check({ isCovered: false, daysCovered: 0 })).toMatchObject({
      level: 'bad',
      text: 'a has no partition for today',
    });
    expect(check({ rowsInDefault: null })).toMatchObject({
      level: 'bad',
      text: 'a has no default partition: rows outside its partitions are refused',
    });
  });

  it('report old statistics and attacks', () => {
    expect(checkJobStatistics(null, NOW)).toMatchObject({ level: 'bad' });
    expect(checkJobStatistics(new Date(NOW.getTime() - 3 * 3_600_000), NOW)).toMatchObject({
      level: 'bad',
      text: 'refreshed 180 min ago',
    });
    expect(checkJobStatistics(new Date(NOW.getTime() - 1_000), NOW)).toMatchObject({ level: 'good' });
    expect(checkSignIns([{ kind: 'new_device' }])).toMatchObject({ level: 'good', text: '1 about new devices' });
    expect(checkSignIns([{ kind: 'new_device' }, { kind: 'failure_burst' }])).toMatchObject({
      level: 'bad',
      text: '1 open alert about attacks, 1 about new devices',
    });
    expect(checkSignIns([{ kind: 'failure_burst' }])).toMatchObject({
      level: 'bad',
      text: '1 open alert about attacks',
    });
  });

  it('are good while the newest verified backup is recent, and report failures', () => {
    const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000);
    const failed = { id: 7, status: 'failed' as const, error: 'the disk is full' };
    const verified = { id: 6, status: 'verified' as const, error: null };

    expect(
      checkBackups({ file: null, verifiedAt: hoursAgo(3), latest: verified, isUnderWay: false }, null, 26, NOW),
    ).toMatchObject({ level: 'good', text: 'the newest verified backup is 3 h old' });
    expect(
      checkBackups({ file: null, verifiedAt: hoursAgo(27), latest: verified, isUnderWay: true }, null, 26, NOW),
    ).toMatchObject({ level: 'bad', text: 'the newest verified backup is 27 h old' });
    expect(
      checkBackups({ file: null, verifiedAt: hoursAgo(3), latest: failed, isUnderWay: false }, null, 26, NOW),
    ).toMatchObject({
      level: 'warn',
      text: 'the newest verified backup is 3 h old; backup 7 failed: the disk is full',
    });
    expect(
      checkBackups({ file: null, verifiedAt: null, latest: failed, isUnderWay: true }, null, 26, NOW),
    ).toMatchObject({ level: 'bad', text: 'no backup is verified yet; backup 7 failed: the disk is full' });
    expect(checkBackups({ file: null, verifiedAt: null, latest: null, isUnderWay: true }, null, 26, NOW)).toMatchObject(
      { level: 'warn', text: 'the first backup is running' },
    );
    expect(
      checkBackups({ file: null, verifiedAt: null, latest: null, isUnderWay: false }, null, 26, NOW),
    ).toMatchObject({ level: 'bad', text: 'no backup is verified yet' });
  });

  it('are never good for a backup whose file is missing or could not be checked', () => {
    const state = { verifiedAt: NOW, file: null, latest: null, isUnderWay: false };
    const check = (status: 'missing' | 'unknown') => checkBackups(state, { status, reason: 'the reason' }, 26, NOW);

    expect(checkBackups(state, { status: 'present' }, 26, NOW)).toMatchObject({ level: 'good' });
    expect(check('missing')).toMatchObject({
      level: 'bad',
      text: 'the newest verified backup is less than an hour old; the reason',
    });
    expect(check('unknown')).toMatchObject({
      level: 'unknown',
      text: 'the newest verified backup is less than an hour old; the reason',
    });
    expect(
      checkBackups({ ...state, verifiedAt: null }, { status: 'unknown', reason: 'the reason' }, 26, NOW),
    ).toMatchObject({ level: 'bad' });
  });

  it('warn about a partial failure, and about failures for users', () => {
    const faults = {
      syncs: 3,
      failingSyncs: 0,
      failingDeliveries: 0,
      lostDeliveries: 0,
      failingMails: 0,
      lostMails: 0,
    };

    expect(checkRuns([], [], [{ id: 8, task: 'a-task', figures: { due: 3, failed: 3 } }])).toMatchObject({
      level: 'warn',
      text: 'run 8 of a-task failed in part (3 failed)',
      href: '/admin/runs/8',
    });
    expect(checkConnections(faults)).toMatchObject({ level: 'good', text: '3 synchronisations, no failures' });
    expect(checkConnections({ ...faults, failingSyncs: 2 })).toMatchObject({
      level: 'warn',
      text: '2 of 3 synchronisations fail',
    });
    expect(checkConnections({ ...faults, failingSyncs: 1 })).toMatchObject({
      level: 'warn',
      text: '1 of 3 synchronisations fails',
    });
    expect(checkDeliveries(faults)).toMatchObject({ level: 'good' });
    expect(checkDeliveries({ ...faults, failingDeliveries: 1, lostMails: 2 })).toMatchObject({
      level: 'warn',
      text: '1 webhook event not delivered yet; 2 emails given up in the last 24 hours',
    });
  });

  it.each([
    ['1.5', 'good', '2.00 of 10.00 USD today, 3.50 USD this month'],
    ['8.6', 'warn', '9.10 of 10.00 USD today, 3.50 USD this month'],
    ['9.5', 'bad', '10.00 of 10.00 USD today, 3.50 USD this month'],
  ])('report the AI spending of the installation: %s', (daySpentUsd, level, text) => {
    const spending = { reservedUsd: '0.5', daySpentUsd, monthSpentUsd: '3' };

    expect(checkAiSpending(spending, { dailyUsd: '10.00', monthlyUsd: '0.00' })).toMatchObject({ level, text });
  });

  it('report what API keys lack at Upwork', () => {
    const messages = { capability: 'messages', detail: 'Room.topic, RoomStory', connections: 2 };
    const failed = { capability: null, detail: 'Upwork refused', connections: 1 };

    expect(checkCapabilities([])).toMatchObject({ level: 'good', text: 'nothing is missing' });
    expect(checkCapabilities([failed])).toMatchObject({
      level: 'unknown',
      text: 'not known for 1 connection: Upwork refused',
    });
    expect(checkCapabilities([messages, failed])).toMatchObject({
      level: 'warn',
      text: 'messages of 2 connections lack Room.topic, RoomStory; not known for 1 connection: Upwork refused',
    });
  });

  it.each([
    [0, 'good', '0 of 1000 used today, 1000 left'],
    [899, 'good', '899 of 1000 used today, 101 left'],
    [900, 'warn', '900 of 1000 used today, 100 left for requests of users. Synchronisation continues at 00:00 UTC'],
    [1_000, 'bad', '1000 of 1000 used today, 0 left. More are allowed from 00:00 UTC'],
  ])('report the calls to Upwork of the day: %i', (used, level, text) => {
    expect(checkUpworkCalls({ perDay: 1_000, used, secondsUntilReset: 60 })).toMatchObject({ level, text });
    expect(checkUpworkCalls(null)).toMatchObject({ level: 'unknown' });
  });

  it('report the documents that Upwork refuses', () => {
    const refused = [{ name: 'Rooms', since: new Date('2026-11-20T10:00:00Z') }];
    const text = 'Upwork refuses Rooms since 2026-11-20T10:00:00.000Z. Update Gigvault';

    expect(checkUpworkDocuments(refused)).toMatchObject({ level: 'bad', text });
    expect(checkUpworkDocuments([])).toMatchObject({ level: 'good', text: 'no refused document' });
    expect(checkUpworkDocuments(null)).toMatchObject({ level: 'unknown' });
  });
});
