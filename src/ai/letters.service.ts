import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import type { Unit } from '../platform/database/unit';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/if-match';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import { Proposal } from '../proposals/proposal.entity';
import { AiGeneration } from './ai-generation.entity';
import type { AcceptGenerationDto } from './dto/accept-generation.dto';
import type { AcceptedLetterDto } from './dto/accepted-letter.dto';
import { LetterVersionDto } from './dto/letter-version.dto';
import type { ListLetterVersionsDto } from './dto/list-letter-versions.dto';
import type { SimilarLetterDto } from './dto/similar-letter.dto';
import { LetterVersion } from './letter-version.entity';
import { listVersions, NEWEST_VERSION, OTHER_LETTERS, type LetterVersionRow } from './letters.queries';
import { ALARMING_SIMILARITY, similarityOf } from './prompt/similarity';

/** As the CHECK of proposals.cover_letter has it. */
const MAX_LETTER = 20_000;

/** Drafts that became cover letters. */
@Injectable()
export class Letters {
  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
  ) {}

  /**
   * Makes a generation's text the cover letter of a draft, keeps the letter it replaces, and returns the user's own letters
   * that are alarmingly like it. One unit of work; an audit row for the proposal and for each version kept.
   * @param ifMatch the version of the proposal the caller knows; undefined lets any pass
   * @throws AppError `ai.generation_not_found`, `ai.generation_not_ready`, `reference.not_found` (/proposalId),
   *   `precondition.failed`, `proposal.not_draft`
   */
  accept(id: number, { proposalId }: AcceptGenerationDto, ifMatch?: Preconditions): Promise<AcceptedLetterDto> {
    return this.database.unit(async (unit) => {
      const generation = await unit.of(AiGeneration).find(id);
      if (!generation) throw new AppError('ai.generation_not_found');
      const letter = letterOf(generation);
      const proposal = await this.draft(unit, proposalId, ifMatch);
      await this.keepOld(unit, proposal);
      const version = await unit.of(LetterVersion).insert({ proposalId, generationId: id, letter });
      const changed = await unit.of(Proposal).update(proposal, { coverLetter: letter });
      const others = await unit.query<{ proposalId: number; letter: string }>(OTHER_LETTERS, [proposalId]);
      return {
        proposalId,
        proposalVersion: changed.version,
        letterVersionId: version.id,
        letter,
        findings: generation.findings,
        similarLetters: similarTo(letter, others),
      };
    });
  }

  /** Returns one page of the versions of a proposal's letter, newest first. One statement. */
  async versions(query: ListLetterVersionsDto): Promise<Page<LetterVersionDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<LetterVersionRow>(...listVersions(query.proposalId, page.after, page.take));
    return page.of(rows, ({ id }) => [id], LetterVersionDto.from);
  }

  private async draft(unit: Unit, proposalId: number, ifMatch: Preconditions | undefined): Promise<Proposal> {
    const proposal = await unit.of(Proposal).find(proposalId, { lock: true });
    if (!proposal) {
      const message = 'You have no proposal with this id.';
      throw new AppError('reference.not_found', {
        detail: message,
        errors: [{ pointer: '/proposalId', code: 'not_found', message }],
      });
    }
    assertVersion(proposal, ifMatch);
    if (proposal.status === 'draft') return proposal;
    throw new AppError('proposal.not_draft', {
      detail: `The proposal is ${proposal.status}. Only a draft may be changed.`,
    });
  }

  /** A letter the user wrote or edited himself has no version yet. */
  private async keepOld(unit: Unit, { id, coverLetter }: Proposal): Promise<void> {
    if (coverLetter === null || coverLetter === '') return;
    const [newest] = await unit.query<{ letter: string }>(NEWEST_VERSION, [id]);
    if (newest?.letter === coverLetter) return;
    await unit.of(LetterVersion).insert({ proposalId: id, generationId: null, letter: coverLetter });
  }
}

function letterOf({ status, response }: AiGeneration): string {
  if (status !== 'succeeded' || response === null) {
    throw new AppError('ai.generation_not_ready', { detail: `the generation is ${status}` });
  }
  return response.trim().slice(0, MAX_LETTER);
}

function similarTo(letter: string, others: readonly { proposalId: number; letter: string }[]): SimilarLetterDto[] {
  return others
    .map(({ proposalId, letter: other }) => ({
      proposalId,
      similarity: Math.round(similarityOf(letter, other) * 100) / 100,
    }))
    .filter(({ similarity }) => similarity >= ALARMING_SIMILARITY)
    .sort((a, b) => b.similarity - a.similarity);
}
