import { Injectable } from '@nestjs/common';
import { RecordRestoreService } from '../audit/history/record-restore.service';
import { AuditHistoryService } from '../audit/logs/audit-logs.service';
import type { ChangeDto } from '../audit/logs/audit-logs.dto';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { AppError } from '../platform/errors/app-error';
import { type ConstraintError, createConstraintError } from '../platform/errors/postgres-errors';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { assertComplete, type ProposalStatus, type ProposalStep, getNextStatus } from './proposal-status';
import {
  type CreateProposalDto,
  type ListProposalsDto,
  ProposalDto,
  type ProposalStatusChangeDto,
  type UpdateProposalDto,
} from './proposals.dto';
import { Proposal } from './proposal.entity';
import { LIST_STATUS_CHANGES, listProposals, LOCK_JOB, type ProposalRow, SELECT_OPEN } from './proposals.queries';

/** The error for a second open proposal of a job. The unique index does not count those from Upwork. */
export const ALREADY_OPEN: ConstraintError = {
  code: 'proposal.already_open',
  pointer: '/jobId',
  message: 'The job already has a draft or a submitted proposal. Continue with that one, or withdraw it first.',
};

/** The signed-in user's proposals: drafts and their steps. */
@Injectable()
export class ProposalsService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly pages: KeysetPages,
    private readonly auditHistory: AuditHistoryService,
    private readonly restores: RecordRestoreService,
  ) {}

  /**
   * Stores a draft for one of the user's jobs. One transaction; one audit row.
   * @throws AppError `reference.not_found` (/jobId), `job.wrong_status` (/jobId) for a deleted job,
   * `proposal.already_open`
   */
  create(dto: CreateProposalDto): Promise<ProposalDto> {
    return this.database.transaction(async (unit) => {
      // One round trip. The foreign key refuses a job that the user does not have (proposals.module.ts).
      const [, proposal] = await Promise.all([assertJobIsFree(unit, dto.jobId), unit.repository(Proposal).insert(dto)]);
      return ProposalDto.from(proposal);
    });
  }

  /**
   * Restores the version of a draft after an audit row, also of a deleted one. One transaction; at most one audit row.
   * @throws AppError `proposal.not_found`, `proposal.not_draft`, `job.wrong_status` (/jobId), `proposal.already_open`,
   *   those of `RecordRestoreService.restore`
   */
  async restore(id: number, auditId: number, ifMatch?: Preconditions): Promise<ProposalDto> {
    const restored = await this.restores.restore({
      ...{ entity: Proposal, id, auditId, ifMatch, notFound: 'proposal.not_found' },
      decide: async (version, proposal, unit) => {
        assertIsDraft(version.status!);
        if (proposal) assertIsDraft(proposal.status);
        else await assertJobIsFree(unit, version.jobId!);
        return version;
      },
    });
    return ProposalDto.from(restored);
  }

  /** Returns one page of the proposals that match the filters, ordered by `sort`. One statement. */
  async list(query: ListProposalsDto): Promise<Page<ProposalDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<ProposalRow>(...listProposals(query, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], ProposalDto.from);
  }

  /** Returns one proposal. @throws AppError `proposal.not_found` */
  get(id: number): Promise<ProposalDto> {
    return this.cache.read('proposals', id, async () => {
      const proposal = await this.database.find(Proposal, id);
      if (!proposal) throw new AppError('proposal.not_found');
      return ProposalDto.from(proposal);
    });
  }

  /**
   * Updates the fields of a draft that the merge patch contains. One transaction; at most one audit row.
   * @param ifMatch the version the caller expects; undefined accepts any
   * @throws AppError `proposal.not_found`, `precondition.failed`, `proposal.not_draft`
   */
  async update(id: number, dto: UpdateProposalDto, ifMatch?: Preconditions): Promise<ProposalDto> {
    const draft = await this.database.change(Proposal, id, 'proposal.not_found', (proposal) => {
      assertDraft(proposal, ifMatch);
      return dto;
    });
    return ProposalDto.from(draft);
  }

  /**
   * Deletes a draft and keeps its history. One transaction; one audit row.
   * @throws AppError `proposal.not_found`, `precondition.failed`, `proposal.not_draft`
   */
  remove(id: number, ifMatch?: Preconditions): Promise<void> {
    return this.database.remove(Proposal, id, 'proposal.not_found', (proposal) => assertDraft(proposal, ifMatch));
  }

  /**
   * Applies one step of proposal-status.ts; of concurrent steps the first wins. One transaction; one audit row.
   * @throws AppError `proposal.not_found`, `precondition.failed`, `proposal.wrong_step`, `proposal.incomplete`
   */
  async applyStep(step: ProposalStep, id: number, ifMatch?: Preconditions): Promise<ProposalDto> {
    const moved = await this.database.change(Proposal, id, 'proposal.not_found', (proposal) => {
      assertVersion(proposal, ifMatch);
      const status = getNextStatus(proposal.status, step);
      if (step !== 'submit') return { status };
      assertComplete(proposal);
      return { status, submittedAt: new Date() };
    });
    return ProposalDto.from(moved);
  }

  /**
   * Returns one page of the changes of a proposal, newest first, also of a deleted one.
   * @throws AppError `proposal.not_found` when the user never had it
   */
  async history(id: number, query: PageQueryDto): Promise<Page<ChangeDto>> {
    const page = await this.auditHistory.listChanges('proposals', id, query);
    if (page.items.length === 0) await this.get(id);
    return page;
  }

  /** Returns the statuses of a proposal over time. @throws AppError `proposal.not_found` */
  async listStatusChanges(id: number): Promise<ProposalStatusChangeDto[]> {
    const changes = await this.database.query<ProposalStatusChangeDto>(LIST_STATUS_CHANGES, [id]);
    if (changes.length === 0) await this.get(id);
    return changes;
  }
}

/** Locks the job and checks that it can get a draft. @throws AppError `job.wrong_status`, `proposal.already_open` */
async function assertJobIsFree(unit: UnitOfWork, jobId: number): Promise<void> {
  const [[job], [open]] = await Promise.all([
    unit.query<{ status: string }>(LOCK_JOB, [jobId]),
    unit.query(SELECT_OPEN, [jobId]),
  ]);
  if (job?.status === 'deleted') throw createJobDeletedError();
  if (open) throw createConstraintError(ALREADY_OPEN);
}

/** Checks that the proposal is a draft in the version the caller expects. */
function assertDraft(proposal: Proposal, ifMatch: Preconditions | undefined): void {
  assertVersion(proposal, ifMatch);
  assertIsDraft(proposal.status);
}

function assertIsDraft(status: ProposalStatus): void {
  if (status === 'draft') return;
  throw new AppError('proposal.not_draft', { detail: `The proposal is ${status}. Only a draft may be changed.` });
}

function createJobDeletedError(): AppError {
  const message = 'This job is deleted. Restore it or choose another.';
  return new AppError('job.wrong_status', {
    detail: message,
    errors: [{ pointer: '/jobId', code: 'job_deleted', message }],
  });
}
