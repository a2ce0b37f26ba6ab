import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RestoreDto } from '../audit/history/record-version.dto';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Idempotent } from '../platform/idempotency/idempotency.interceptor';
import { CreateTemplateDto, TemplateDto, UpdateTemplateDto } from './templates.dto';
import { TemplatesService } from './templates.service';

/** Routes for the user's templates, which AI drafts follow. */
@ApiTags('Profile')
@SignedIn()
@Controller({ path: 'templates', version: '1' })
export class TemplatesController {
  constructor(private readonly templates: TemplatesService) {}

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createTemplate',
    summary: 'Create a template',
    description: 'AI drafts of its type follow the newest template, or the one they name.',
  })
  @ApiCreatedResponse({ type: TemplateDto, description: 'The template.' })
  create(@Body() dto: CreateTemplateDto): Promise<TemplateDto> {
    return this.templates.create(dto);
  }

  @Get()
  @ApiOperation({ operationId: 'listTemplates', summary: 'List your templates', description: 'Newest first.' })
  @ApiPage(TemplateDto)
  list(@Query() query: PageQueryDto): Promise<Page<TemplateDto>> {
    return this.templates.list(query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getTemplate',
    summary: 'Get a template',
    description: 'Returns an ETag; If-None-Match answers 304.',
  })
  @ApiOkResponse({ type: TemplateDto, description: 'The template.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<TemplateDto> {
    return this.templates.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateTemplate',
    summary: 'Update a template',
    description: 'A JSON merge patch: absent fields keep their value.',
  })
  @ApiOkResponse({ type: TemplateDto, description: 'The updated template.' })
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() dto: UpdateTemplateDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<TemplateDto> {
    return this.templates.update(id, dto, ifMatch);
  }

  @Post(':id/restore')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'restoreTemplate',
    summary: 'Restore a version of a template',
    description:
      'The version after the audit entry `auditId` becomes a new change (GET /v1/audit/{table}/{recordId} lists ' +
      'entries). A deleted template comes back with its id.',
  })
  @ApiOkResponse({ type: TemplateDto, description: 'The restored template.' })
  restore(
    @Param('id', ParseIdPipe) id: number,
    @Body() { auditId }: RestoreDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<TemplateDto> {
    return this.templates.restore(id, auditId, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteTemplate',
    summary: 'Delete a template',
    description: 'Keeps the drafts that were written from it.',
  })
  @ApiNoContentResponse({ description: 'The template was deleted; its history remains.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.templates.remove(id, ifMatch);
  }
}
