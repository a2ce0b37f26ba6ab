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
  checkSignIns,
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

describe('the lights', () => {
  it('are not green while a run is tried again, and say why', () => {
    const light = checkRuns([], [buildRun({ outcome: 'retrying', attempts: 2, error: 'the disk is full' })]);

    expect(light).toMatchObject({
      level: 'warn',
      text: 'run 7 of a-task is tried again after attempt 2 failed: the disk is full',
      href: '/admin/runs/7',
    });
  });

  it('are red while a failure stands', () => {
    expect(checkRuns([{ id: 3, task: 'a-task', error: 'x' }], [])).toMatchObject({
      level: 'bad',
      text: 'failed and not succeeded since: a-task',
    });
    expect(checkRuns([], [buildRun({})])).toMatchObject({ level: 'good' });
  });

  it.each<[string, TaskDto[], OpenRun[], string, string]>([
    ['all is in time', [buildTask()], [], 'good', '1 task on schedule'],
    ['a task was paused', [buildTask({ paused: true, nextRunAt: null })], [], 'warn', 'paused: a-task'],
    ['no worker ever came', [buildTask({ nextRunAt: null })], [], 'bad', 'no worker has scheduled a-task'],
    [
      'no worker takes what is due',
      [buildTask({ nextRunAt: new Date(NOW.getTime() - 180_000) })],
      [],
      'bad',
      'no worker takes a-task, which is due',
    ],
    [
      'a run waits',
      [buildTask()],
      [buildRun({ outcome: 'queued', forMs: 180_000 })],
      'bad',
      'run 7 of a-task waits and no worker takes it',
    ],
    [
      'a run takes much longer than usual',
      [buildTask()],
      [buildRun({ forMs: 90_000 })],
      'warn',
      'run 7 of a-task has been running for 90 s',
    ],
    [
      'a run takes long as always',
      [buildTask({ usualDurationMs: 60_000 })],
      [buildRun({ forMs: 90_000 })],
      'good',
      '1 task on schedule',
    ],
  ])('say of the schedule when %s', (_case, tasks, open, level, text) => {
    expect(checkSchedule(tasks, open, [], NOW)).toMatchObject({ level, text });
  });

  it('say what the watch over the schedule has found, once', () => {
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

  it('tell how far partitions reach', () => {
    const light = (parts: Partial<PartitionCoverageDto>) =>
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

    expect(light({})).toMatchObject({ level: 'good', text: '1 table is covered for 400 days' });
    expect(light({ rowsInDefault: 2 })).toMatchObject({
      level: 'warn',
      text: '2 rows of a lie in its default partition',
    });
    expect(light({ daysCovered: 20 })).toMatchObject({ level: 'bad', text: 'a is covered for 20 days only' });
    expect(light({ isCovered: false, daysCovered: 0 })).toMatchObject({
      level: 'bad',
      text: 'a has no partition for today',
    });
    expect(light({ rowsInDefault: null })).toMatchObject({
      level: 'bad',
      text: 'a has no default partition: rows that no other takes are refused',
    });
  });

  it('tell of old statistics and of attacks', () => {
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

  it('are green for backups while the newest that was restored is young, and tell what failed', () => {
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
      { level: 'warn', text: 'the first backup is being made' },
    );
    expect(
      checkBackups({ file: null, verifiedAt: null, latest: null, isUnderWay: false }, null, 26, NOW),
    ).toMatchObject({ level: 'bad', text: 'no backup is verified yet' });
  });

  it('are never green for a backup whose file is gone or could not be looked at', () => {
    const state = { verifiedAt: NOW, file: null, latest: null, isUnderWay: false };
    const look = (status: 'missing' | 'unknown') => checkBackups(state, { status, reason: 'why not' }, 26, NOW);

    expect(checkBackups(state, { status: 'present' }, 26, NOW)).toMatchObject({ level: 'good' });
    expect(look('missing')).toMatchObject({
      level: 'bad',
      text: 'the newest verified backup is less than an hour old; why not',
    });
    expect(look('unknown')).toMatchObject({
      level: 'unknown',
      text: 'the newest verified backup is less than an hour old; why not',
    });
    expect(
      checkBackups({ ...state, verifiedAt: null }, { status: 'unknown', reason: 'why not' }, 26, NOW),
    ).toMatchObject({ level: 'bad' });
  });

  it('are amber for a run that failed in part, and for what fails for users', () => {
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
      text: '1 alert could not be delivered yet; 2 emails given up within a day',
    });
  });

  it.each([
    ['1.5', 'good', '2.00 of 10.00 USD today, 3.50 USD this month'],
    ['8.6', 'warn', '9.10 of 10.00 USD today, 3.50 USD this month'],
    ['9.5', 'bad', '10.00 of 10.00 USD today, 3.50 USD this month'],
  ])('say what AI costs the installation: %s', (daySpentUsd, level, text) => {
    const spending = { reservedUsd: '0.5', daySpentUsd, monthSpentUsd: '3' };

    expect(checkAiSpending(spending, { dailyUsd: '10.00', monthlyUsd: '0.00' })).toMatchObject({ level, text });
  });
});
