import { Conditions } from '../platform/database/conditions';
import { type CursorKey, KeysetPages } from '../platform/http/pagination/keyset-page';
import { CoverLetterVersion } from './cover-letter-version.entity';
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import type { Page } from '../platform/http/pagination/page.dto';
import { Proposal } from '../proposals/proposal.entity';
import { AiGeneration, getLetter } from '../ai/generations/ai-generation.entity';
import {
  type AcceptedLetterDto,
  type AcceptGenerationDto,
  LetterVersionDto,
  type ListLetterVersionsDto,
  type SimilarLetterDto,
} from './cover-letters.dto';

/** Reads the newest version of a proposal's cover letter. */
export const NEWEST_VERSION = 'SELECT letter FROM letter_versions WHERE proposal_id = $1 ORDER BY id DESC LIMIT 1';

/** Lists the user's other cover letters, newest first, at most 200. */
export const OTHER_COVER_LETTERS = `
  SELECT id AS "proposalId", cover_letter AS letter FROM proposals
  WHERE id <> $1 AND cover_letter IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT 200`;

/** Builds the query for one page of a proposal's cover letter versions, newest first. */
export function listCoverLetterVersions(
  proposalId: number,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions().add('proposal_id = $?', proposalId).after('id', '<', ['bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT id, proposal_id AS "proposalId", generation_id AS "generationId", letter, created_at AS "createdAt"
     FROM letter_versions ${conditions.where} ORDER BY id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

/** Row of that list. */
export type CoverLetterVersionRow = Pick<
  CoverLetterVersion,
  'id' | 'proposalId' | 'generationId' | 'letter' | 'createdAt'
>;

/** Words per shingle: runs of three distinguish copied text from text on the same subject. */
const SHINGLE_WORDS = 3;

/** Similarity from which a client is likely to recognize the other text. */
export const SIMILARITY_THRESHOLD = 0.6;

/** Computes the similarity of two texts, 0 to 1: the share of common runs of three words. */
export function computeSimilarity(a: string, b: string): number {
  const [left, right] = [buildShingles(a), buildShingles(b)];
  if (left.size === 0 || right.size === 0) return 0;
  const common = [...left].filter((shingle) => right.has(shingle)).length;
  return common / (left.size + right.size - common);
}

function buildShingles(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.slice(0, -SHINGLE_WORDS + 1).map((_, i) => words.slice(i, i + SHINGLE_WORDS).join(' ')));
}

/** Same limit as the CHECK of proposals.cover_letter. */
const MAX_COVER_LETTER_LENGTH = 20_000;

/** Turns drafts into cover letters and lists their versions. */
@Injectable()
export class CoverLettersService {
  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
  ) {}

  /**
   * Sets a generation's text as the cover letter of a draft proposal and stores the previous one as a version. Returns
   * the user's cover letters with a similarity above the threshold. One unit of work; one audit row for the proposal
   * and one for each version stored.
   * @param ifMatch expected version of the proposal; undefined accepts any
   * @throws AppError `ai.generation_not_found`, `ai.generation_not_ready`, `reference.not_found` (/proposalId),
   *   `precondition.failed`, `proposal.not_draft`
   */
  accept(id: number, { proposalId }: AcceptGenerationDto, ifMatch?: Preconditions): Promise<AcceptedLetterDto> {
    return this.database.transaction(async (unit) => {
      const generation = await unit.repository(AiGeneration).find(id);
      if (!generation) throw new AppError('ai.generation_not_found');
      const letter = readCoverLetter(generation);
      const proposal = await this.lockDraft(unit, proposalId, ifMatch);
      await this.storePreviousVersion(unit, proposal);
      const version = await unit.repository(CoverLetterVersion).insert({ proposalId, generationId: id, letter });
      const changed = await unit.repository(Proposal).update(proposal, { coverLetter: letter });
      const others = await unit.query<{ proposalId: number; letter: string }>(OTHER_COVER_LETTERS, [proposalId]);
      return {
        proposalId,
        proposalVersion: changed.version,
        letterVersionId: version.id,
        letter,
        findings: generation.findings,
        similarLetters: findSimilar(letter, others),
      };
    });
  }

  /** Returns one page of the versions of a proposal's cover letter, newest first. One statement. */
  async listVersions(query: ListLetterVersionsDto): Promise<Page<LetterVersionDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<CoverLetterVersionRow>(
      ...listCoverLetterVersions(query.proposalId, page.after, page.take),
    );
    return page.of(rows, ({ id }) => [id], LetterVersionDto.from);
  }

  private async lockDraft(unit: UnitOfWork, proposalId: number, ifMatch: Preconditions | undefined): Promise<Proposal> {
    const proposal = await unit.repository(Proposal).find(proposalId, { lock: true });
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

  /** Stores the current text as a version; text the user wrote or edited has none yet. */
  private async storePreviousVersion(unit: UnitOfWork, { id, coverLetter }: Proposal): Promise<void> {
    if (coverLetter === null || coverLetter === '') return;
    const [newest] = await unit.query<{ letter: string }>(NEWEST_VERSION, [id]);
    if (newest?.letter === coverLetter) return;
    await unit.repository(CoverLetterVersion).insert({ proposalId: id, generationId: null, letter: coverLetter });
  }
}

function readCoverLetter(generation: AiGeneration): string {
  const { status } = generation;
  const letter = getLetter(generation);
  if (status !== 'succeeded' || letter === null) {
    throw new AppError('ai.generation_not_ready', {
      detail: `The generation is ${status}; only a succeeded one with a text can be accepted.`,
    });
  }
  return letter.trim().slice(0, MAX_COVER_LETTER_LENGTH);
}

function findSimilar(letter: string, others: readonly { proposalId: number; letter: string }[]): SimilarLetterDto[] {
  return others
    .map(({ proposalId, letter: other }) => ({
      proposalId,
      similarity: Math.round(computeSimilarity(letter, other) * 100) / 100,
    }))
    .filter(({ similarity }) => similarity >= SIMILARITY_THRESHOLD)
    .sort((a, b) => b.similarity - a.similarity);
}
