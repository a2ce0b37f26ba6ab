import { Injectable } from '@nestjs/common';
import { Conditions } from '../platform/database/conditions';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion } from '../platform/http/if-match';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import type { PageQueryDto } from '../platform/http/page-query.dto';
import type { CreateSavedSearchDto } from './dto/create-saved-search.dto';
import { SavedSearchDto } from './dto/saved-search.dto';
import type { UpdateSavedSearchDto } from './dto/update-saved-search.dto';
import { SavedSearch } from './saved-search.entity';

/** What one letter tells: the searches of a user with new matches, and where to send it. */
export interface Digest {
  readonly email: string;
  readonly searches: readonly { readonly name: string; readonly newMatches: number }[];
}

const COLUMNS = `id, user_id AS "userId", name, query, job_type AS "jobType", alert_hours AS "alertHours", new_matches AS "newMatches",
  last_searched_at AS "lastSearchedAt", last_alerted_at AS "lastAlertedAt", version, created_at AS "createdAt", updated_at AS "updatedAt"`;

/** Taken and marked in one statement: the same matches are never mailed twice. */
const TAKE_ALERTS = `
  WITH due AS (
    SELECT id, name, new_matches FROM saved_searches
    WHERE new_matches > 0 AND coalesce(last_alerted_at, '-infinity') < now() - make_interval(hours => alert_hours) FOR UPDATE
  ), taken AS (
    UPDATE saved_searches s SET new_matches = 0, last_alerted_at = now() FROM due WHERE s.id = due.id RETURNING due.name, due.new_matches
  )
  SELECT name, new_matches AS "newMatches", (SELECT email FROM users) AS email FROM taken ORDER BY name`;

/** The signed-in user's saved searches. */
@Injectable()
export class SavedSearchesService {
  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
  ) {}

  /** Saves a search; it runs with the next synchronisation. @throws AppError `saved_search.already_exists` */
  create(dto: CreateSavedSearchDto): Promise<SavedSearchDto> {
    return this.database.unit(async (unit) => SavedSearchDto.from(await unit.of(SavedSearch).insert(dto)));
  }

  /** Returns one page of the searches, oldest first. One statement. */
  async list(query: PageQueryDto): Promise<Page<SavedSearchDto>> {
    const page = this.pages.open(query);
    const conditions = new Conditions().after('id', '>', ['bigint'], page.after);
    const limit = conditions.value(page.take);
    const sql = `SELECT ${COLUMNS} FROM saved_searches ${conditions.where} ORDER BY id LIMIT ${limit}`;
    const rows = await this.database.query<SavedSearch>(sql, conditions.values);
    return page.of(rows, ({ id }) => [id], SavedSearchDto.from);
  }

  /** Returns one search. @throws AppError `saved_search.not_found` */
  async get(id: number): Promise<SavedSearchDto> {
    const search = await this.database.find(SavedSearch, id);
    if (!search) throw new AppError('saved_search.not_found');
    return SavedSearchDto.from(search);
  }

  /** Changes a search as the merge patch says. @throws AppError `saved_search.not_found`, `precondition.failed`, `saved_search.already_exists` */
  async update(id: number, dto: UpdateSavedSearchDto, ifMatch?: number): Promise<SavedSearchDto> {
    const changed = await this.database.change(SavedSearch, id, 'saved_search.not_found', (search) => {
      assertVersion(search, ifMatch);
      return dto;
    });
    return SavedSearchDto.from(changed);
  }

  /** Deletes a search; the jobs it found stay. @throws AppError `saved_search.not_found`, `precondition.failed` */
  remove(id: number, ifMatch?: number): Promise<void> {
    return this.database.unit(async (unit) => {
      const searches = unit.of(SavedSearch);
      const search = await searches.find(id, { lock: true });
      if (!search) throw new AppError('saved_search.not_found');
      assertVersion(search, ifMatch);
      await searches.remove(search);
    });
  }

  /** Takes the new matches that are due to be mailed; undefined when there are none. One statement. */
  async takeAlerts(): Promise<Digest | undefined> {
    const rows = await this.database.query<{ name: string; newMatches: number; email: string }>(TAKE_ALERTS);
    const [first] = rows;
    return first && { email: first.email, searches: rows };
  }
}
