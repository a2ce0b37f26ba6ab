import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { OmitType } from '@nestjs/swagger';
import { RecordRestoreService } from '../audit/history/record-restore.service';
import { Conditions } from '../platform/database/conditions';
import { buildSelectList } from '../platform/database/base.entity';
import { listFields } from '../platform/http/openapi/dto-fields';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { CreateSavedSearchDto, SavedSearchDto, type UpdateSavedSearchDto } from './saved-searches.dto';
import { SavedSearch } from './saved-search.entity';

/** Fields of the search on Upwork. */
const UPWORK_FIELDS = listFields(OmitType(CreateSavedSearchDto, ['name', 'alertHours', 'webhookId']));

const COLUMNS = buildSelectList(SavedSearch, listFields(SavedSearchDto));

/**
 * Claims new matches and records their deliveries in one statement, so that no match is reported twice or lost. One
 * delivery per webhook and one for the email. Matches for a disabled webhook wait until it is enabled.
 */
const RECORD_MATCH_DELIVERIES = `
  WITH due AS (
    SELECT s.id, s.name, s.new_matches, s.webhook_id FROM saved_searches s
    WHERE s.new_matches > 0 AND coalesce(s.last_alerted_at, '-infinity') < now() - make_interval(hours => s.alert_hours)
      AND (s.webhook_id IS NULL OR EXISTS (SELECT FROM webhooks w WHERE w.id = s.webhook_id AND w.is_active))
    FOR UPDATE OF s
  ), taken AS (
    UPDATE saved_searches s SET new_matches = 0, last_alerted_at = now() FROM due WHERE s.id = due.id
    RETURNING due.id, due.name, due.new_matches, due.webhook_id
  )
  INSERT INTO alert_deliveries (webhook_id, event_type, payload)
  SELECT webhook_id, 'saved_search.matched',
         jsonb_build_object('searches', jsonb_agg(
           jsonb_build_object('id', id, 'name', name, 'newMatches', new_matches) ORDER BY name
         ))
  FROM taken GROUP BY webhook_id
  RETURNING id`;

/** Manages the signed-in user's saved searches. */
@Injectable()
export class SavedSearchesService {
  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
    private readonly restores: RecordRestoreService,
  ) {}

  /**
   * Creates a search; it runs with the next synchronisation.
   * @throws AppError `saved_search.already_exists`, `reference.not_found`
   */
  create(dto: CreateSavedSearchDto): Promise<SavedSearchDto> {
    return this.database.transaction(async (unit) =>
      SavedSearchDto.from(await unit.repository(SavedSearch).insert(dto)),
    );
  }

  /** Returns one page of the searches, oldest first. One statement. */
  async list(query: PageQueryDto): Promise<Page<SavedSearchDto>> {
    const page = this.pages.open(query);
    const conditions = new Conditions().after('id', '>', ['bigint'], page.after);
    const limit = conditions.value(page.take);
    const sql = `SELECT ${COLUMNS} FROM saved_searches ${conditions.where} ORDER BY id LIMIT ${limit}`;
    const rows = await this.database.list<SavedSearchDto>(sql, conditions.values);
    return page.of(rows, ({ id }) => [id], SavedSearchDto.from);
  }

  /** Returns one search. @throws AppError `saved_search.not_found` */
  async get(id: number): Promise<SavedSearchDto> {
    const search = await this.database.find(SavedSearch, id);
    if (!search) throw new AppError('saved_search.not_found');
    return SavedSearchDto.from(search);
  }

  /**
   * Applies a merge patch. A new query or filter makes the search start over.
   * @throws AppError `saved_search.not_found`, `precondition.failed`, `saved_search.already_exists`
   */
  async update(id: number, dto: UpdateSavedSearchDto, ifMatch?: Preconditions): Promise<SavedSearchDto> {
    const changed = await this.database.change(SavedSearch, id, 'saved_search.not_found', (search) => {
      assertVersion(search, ifMatch);
      return startOverIfDifferent(search, dto);
    });
    return SavedSearchDto.from(changed);
  }

  /**
   * Restores the version of a search after an audit row, also of a deleted one. A search that changes starts over.
   * @throws AppError `saved_search.not_found`, `saved_search.already_exists`, those of `RecordRestoreService.restore`
   */
  async restore(id: number, auditId: number, ifMatch?: Preconditions): Promise<SavedSearchDto> {
    const restored = await this.restores.restore({
      ...{ entity: SavedSearch, id, auditId, ifMatch, notFound: 'saved_search.not_found' },
      decide: (version, search) => (search ? startOverIfDifferent(search, version) : version),
    });
    return SavedSearchDto.from(restored);
  }

  /** Deletes a search; the jobs it found stay. @throws AppError `saved_search.not_found`, `precondition.failed` */
  remove(id: number, ifMatch?: Preconditions): Promise<void> {
    return this.database.remove(SavedSearch, id, 'saved_search.not_found', (search) => assertVersion(search, ifMatch));
  }

  /** Records deliveries for new matches that are due and returns how many. One statement. */
  async recordDeliveries(): Promise<number> {
    return (await this.database.query(RECORD_MATCH_DELIVERIES)).length;
  }
}

/** Adds to a patch what makes the search start over, when Upwork is asked for something else. */
function startOverIfDifferent(search: SavedSearch, patch: Partial<SavedSearch>): Partial<SavedSearch> {
  if (!isDifferentSearch(search, patch)) return patch;
  return { ...patch, lastSearchedAt: null, lastFullSearchAt: null, lastTriedAt: null, lastError: null };
}

/** Returns true when a patch changes what Upwork is asked for. */
function isDifferentSearch(search: SavedSearch, patch: Partial<SavedSearch>): boolean {
  return UPWORK_FIELDS.some((field) => patch[field] !== undefined && !isDeepStrictEqual(patch[field], search[field]));
}
