import { Injectable } from '@nestjs/common';
import { RecordRestoreService } from '../audit/history/record-restore.service';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { type CreateTemplateDto, TemplateDto, type UpdateTemplateDto } from './templates.dto';
import { listTemplates, type TemplateRow } from './templates.queries';
import { Template } from './template.entity';

/** The signed-in user's templates. Each write is one transaction with one audit row. */
@Injectable()
export class TemplatesService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly pages: KeysetPages,
    private readonly restores: RecordRestoreService,
  ) {}

  /** Stores a template. @throws AppError `template.already_exists` */
  async create(dto: CreateTemplateDto): Promise<TemplateDto> {
    return TemplateDto.from(await this.database.transaction((unit) => unit.repository(Template).insert(dto)));
  }

  /** Returns one page, newest first. One statement. */
  async list(query: PageQueryDto): Promise<Page<TemplateDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<TemplateRow>(...listTemplates(page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], TemplateDto.from);
  }

  /** Returns one template. @throws AppError `template.not_found` */
  get(id: number): Promise<TemplateDto> {
    return this.cache.read('templates', id, async () => {
      const template = await this.database.find(Template, id);
      if (!template) throw new AppError('template.not_found');
      return TemplateDto.from(template);
    });
  }

  /**
   * Updates the fields that the merge patch contains.
   * @throws AppError `template.not_found`, `precondition.failed`, `template.already_exists`
   */
  async update(id: number, dto: UpdateTemplateDto, ifMatch?: Preconditions): Promise<TemplateDto> {
    const template = await this.database.change(Template, id, 'template.not_found', (current) => {
      assertVersion(current, ifMatch);
      return dto;
    });
    return TemplateDto.from(template);
  }

  /**
   * Restores the version of a template after an audit row, also of a deleted one.
   * @throws AppError `template.not_found`, `template.already_exists`, those of `RecordRestoreService.restore`
   */
  async restore(id: number, auditId: number, ifMatch?: Preconditions): Promise<TemplateDto> {
    const restored = await this.restores.restore({
      ...{ entity: Template, id, auditId, ifMatch, notFound: 'template.not_found' },
      decide: (version) => version,
    });
    return TemplateDto.from(restored);
  }

  /** Deletes a template. @throws AppError `template.not_found`, `precondition.failed` */
  remove(id: number, ifMatch?: Preconditions): Promise<void> {
    return this.database.remove(Template, id, 'template.not_found', (template) => assertVersion(template, ifMatch));
  }
}
