import { Injectable } from '@nestjs/common';
import { AuditHistoryService } from '../audit/logs/audit-logs.service';
import type { ChangeDto } from '../audit/logs/audit-logs.dto';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { assertComplete, type ProposalStep, statusAfter } from './proposal-status';
import { type CreateProposalDto, type ListProposalsDto, ProposalDto, type UpdateProposalDto } from './proposals.dto';
import { Proposal } from './proposal.entity';
import { listProposals, type ProposalRow } from './proposals.queries';

/** The signed-in user's proposals: drafts he edits, and the steps they take from there. */
@Injectable()
export class ProposalsService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly pages: KeysetPages,
    private readonly auditHistory: AuditHistoryService,
  ) {}

  /**
   * Stores a draft for one of the user's jobs. One unit of work; one audit row.
   * @throws AppError `reference.not_found` (/jobId), `job.wrong_status` (/jobId) for a deleted job,
   * `proposal.already_open`
   */
  create(dto: CreateProposalDto): Promise<ProposalDto> {
    return this.database.transaction(async (unit) => {
      // In one round trip; a job that is not there for him is the foreign key's to refuse (proposals.module.ts).
      const [[job], proposal] = await Promise.all([
        unit.query<{ status: string }>('SELECT status FROM jobs WHERE id = $1', [dto.jobId]),
        unit.repository(Proposal).insert(dto),
      ]);
      if (job?.status === 'deleted') throw jobDeleted();
      return ProposalDto.from(proposal);
    });
  }

  /** Returns one page of the proposals that fit the filters, in the order of `sort`. One statement. */
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
   * Changes a draft as the merge patch says. One unit of work; one audit row when something changed.
   * @param ifMatch what the caller knows of the version; undefined lets any pass
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
   * Deletes a draft; its history stays. One unit of work; one audit row.
   * @throws AppError `proposal.not_found`, `precondition.failed`, `proposal.not_draft`
   */
  remove(id: number, ifMatch?: Preconditions): Promise<void> {
    return this.database.transaction(async (unit) => {
      const proposals = unit.repository(Proposal);
      const proposal = await proposals.find(id, { lock: true });
      if (!proposal) throw new AppError('proposal.not_found');
      assertDraft(proposal, ifMatch);
      await proposals.remove(proposal);
    });
  }

  /**
   * Takes one step of proposal-status.ts; of parallel ones the first wins. One unit of work; one audit row.
   * @throws AppError `proposal.not_found`, `precondition.failed`, `proposal.wrong_step`, `proposal.incomplete`
   */
  async applyStep(step: ProposalStep, id: number, ifMatch?: Preconditions): Promise<ProposalDto> {
    const moved = await this.database.change(Proposal, id, 'proposal.not_found', (proposal) => {
      assertVersion(proposal, ifMatch);
      const status = statusAfter(proposal.status, step);
      if (step !== 'submit') return { status };
      assertComplete(proposal);
      return { status, submittedAt: new Date() };
    });
    return ProposalDto.from(moved);
  }

  /**
   * Returns one page of what happened to a proposal, newest first; also of one that is deleted.
   * @throws AppError `proposal.not_found` when there neither is nor was such a proposal of his
   */
  async history(id: number, query: PageQueryDto): Promise<Page<ChangeDto>> {
    const page = await this.auditHistory.listChanges('proposals', id, query);
    if (page.items.length === 0) await this.get(id);
    return page;
  }
}

/** Only a draft is changed or deleted, and only the version the caller knows. */
function assertDraft(proposal: Proposal, ifMatch: Preconditions | undefined): void {
  assertVersion(proposal, ifMatch);
  if (proposal.status === 'draft') return;
  throw new AppError('proposal.not_draft', {
    detail: `The proposal is ${proposal.status}. Only a draft may be changed.`,
  });
}

function jobDeleted(): AppError {
  const message = 'jobId names a job that is deleted';
  return new AppError('job.wrong_status', {
    detail: message,
    errors: [{ pointer: '/jobId', code: 'job_deleted', message }],
  });
}
