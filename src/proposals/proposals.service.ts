import { Injectable } from '@nestjs/common';
import { AuditHistory } from '../audit/audit-history.service';
import type { ChangeDto } from '../audit/dto/change.dto';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/if-match';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import type { PageQueryDto } from '../platform/http/page-query.dto';
import { assertComplete } from './assert-complete';
import type { CreateProposalDto } from './dto/create-proposal.dto';
import type { ListProposalsDto } from './dto/list-proposals.dto';
import { ProposalDto } from './dto/proposal.dto';
import type { UpdateProposalDto } from './dto/update-proposal.dto';
import { Proposal } from './proposal.entity';
import { statusAfter, type ProposalStep } from './proposal-status';
import { listProposals, type ProposalRow } from './proposals.queries';

/** The signed-in user's proposals: drafts he edits, and the steps they take from there. */
@Injectable()
export class ProposalsService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly pages: KeysetPages,
    private readonly auditHistory: AuditHistory,
  ) {}

  /**
   * Stores a draft for one of the user's jobs. One unit of work; one audit row.
   * @throws AppError `reference.not_found` (/jobId), `job.wrong_status` (/jobId) for a deleted job,
   * `proposal.already_open`
   */
  create(dto: CreateProposalDto): Promise<ProposalDto> {
    return this.database.unit(async (unit) => {
      // In one round trip; a job that is not there for him is the foreign key's to refuse (proposals.module.ts).
      const [[job], proposal] = await Promise.all([
        unit.query<{ status: string }>('SELECT status FROM jobs WHERE id = $1', [dto.jobId]),
        unit.of(Proposal).insert(dto),
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
    return this.database.unit(async (unit) => {
      const proposals = unit.of(Proposal);
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
  async take(step: ProposalStep, id: number, ifMatch?: Preconditions): Promise<ProposalDto> {
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
    const page = await this.auditHistory.of('proposals', id, query);
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
