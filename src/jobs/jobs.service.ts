import { Injectable } from '@nestjs/common';
import { RecordRestoreService } from '../audit/history/record-restore.service';
import { AuditHistoryService } from '../audit/logs/audit-logs.service';
import type { ChangeDto } from '../audit/logs/audit-logs.dto';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { patchObject } from '../platform/http/validation/json-object-field';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { type CreateJobDto, JobDto, type UpdateJobDto } from './jobs.dto';
import type { ListJobsDto } from './jobs-list.dto';
import { assertRanges, toJobContent, buildSourceKey } from './job-content';
import { Job } from './job.entity';
import { CLIENT_INFO_LIMITS } from './job-values';
import { listJobs, type JobRow } from './jobs.queries';

/** The jobs of the signed-in user. Row security limits every query to their own rows. */
@Injectable()
export class JobsService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly pages: KeysetPages,
    private readonly auditHistory: AuditHistoryService,
    private readonly restores: RecordRestoreService,
  ) {}

  /**
   * Stores a job. One transaction, one audit row.
   * @throws AppError `job.already_exists` when the user already has the Upwork id or, without one, the same job;
   *   `validation.failed` when a minimum is above its maximum
   */
  async create(dto: CreateJobDto): Promise<JobDto> {
    assertRanges(dto);
    const content = toJobContent(dto);
    const { status, isFavorite } = dto;
    const values = { ...content, status, isFavorite, sourceKey: buildSourceKey(content) };
    return JobDto.from(await this.database.transaction((unit) => unit.repository(Job).insert(values)));
  }

  /**
   * Returns one page of the jobs that match all filters; deleted ones only when the status filter names them. One round
   * trip; rows are not hydrated as entities.
   * @throws AppError `cursor.invalid`; `validation.failed` when a minimum is above its maximum
   */
  async list(query: ListJobsDto): Promise<Page<JobDto>> {
    assertRanges(query);
    const page = this.pages.open(query);
    const rows = await this.database.list<JobRow>(...listJobs(query, page.after, page.take));
    return page.of(rows, ({ sortKey, id }) => [sortKey, id], JobDto.from);
  }

  /**
   * Returns a job, deleted or not. One round trip.
   * @throws AppError `job.not_found`
   */
  get(id: number): Promise<JobDto> {
    return this.cache.read('jobs', id, async () => {
      const job = await this.database.find(Job, id);
      if (!job) throw new AppError('job.not_found');
      return JobDto.from(job);
    });
  }

  /**
   * Updates the fields that the patch contains and returns the updated job. Writes nothing when no value changes. One
   * transaction with the row locked, at most one audit row.
   * @param ifMatch the version the caller expects; undefined accepts any
   * @throws AppError `job.not_found`, `precondition.failed`, `validation.failed` when a minimum would be above its
   *   maximum, `job.already_exists` when the result would equal another job of the user
   */
  async update(id: number, changes: UpdateJobDto, ifMatch?: Preconditions): Promise<JobDto> {
    const updated = await this.database.change(Job, id, 'job.not_found', (job) => {
      assertVersion(job, ifMatch);
      const patch = mergeClientInfo(job, changes);
      return deriveColumns(job, definedValues(patch));
    });
    return JobDto.from(updated);
  }

  /**
   * Restores the version of a job after an audit row, as an update. One transaction, at most one audit row.
   * @throws AppError `job.not_found`, those of `RecordRestoreService.restore` and of `update`
   */
  async restore(id: number, auditId: number, ifMatch?: Preconditions): Promise<JobDto> {
    const restored = await this.restores.restore({
      ...{ entity: Job, id, auditId, ifMatch, notFound: 'job.not_found' },
      decide: (version, job) => (job ? deriveColumns(job, version) : version),
    });
    return JobDto.from(restored);
  }

  /**
   * Sets the status to deleted, which hides the job from lists; the status active restores it. One transaction, at most
   * one audit row, none for a job that is already deleted.
   * @throws AppError `job.not_found`, `precondition.failed`
   */
  async remove(id: number, ifMatch?: Preconditions): Promise<void> {
    await this.database.change(Job, id, 'job.not_found', (job) => {
      assertVersion(job, ifMatch);
      return { status: 'deleted' as const };
    });
  }

  /**
   * Returns one page of the changes of a job, newest first, including its deletion. One round trip.
   * @throws AppError `job.not_found`, `cursor.invalid`
   */
  async history(id: number, query: PageQueryDto): Promise<Page<ChangeDto>> {
    const page = await this.auditHistory.listChanges('jobs', id, query);
    if (page.items.length === 0) await this.get(id);
    return page;
  }
}

/** Adds the columns that follow from the others. @throws AppError `validation.failed` */
function deriveColumns(job: Job, changes: Partial<Job>): Partial<Job> {
  const changed = { ...job, ...changes };
  assertRanges(changed);
  // A synchronisation learns the number of the other job.
  const isOther = changed.upworkJobId !== job.upworkJobId;
  return { ...changes, sourceKey: buildSourceKey(changed), ...(isOther && { upworkJobNumber: null }) };
}

/** Merges clientInfo level by level into the patch. @throws AppError `validation.failed` beyond its limits */
function mergeClientInfo({ clientInfo }: Job, changes: UpdateJobDto): UpdateJobDto {
  if (!changes.clientInfo) return changes;
  return { ...changes, clientInfo: patchObject('clientInfo', CLIENT_INFO_LIMITS, clientInfo, changes.clientInfo) };
}

/** Returns the fields that a merge patch contains. */
function definedValues(changes: UpdateJobDto): UpdateJobDto {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
