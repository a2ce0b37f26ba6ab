import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RestoreDto } from '../audit/history/record-version.dto';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Idempotent } from '../platform/idempotency/idempotency.interceptor';
import { CreateSavedSearchDto, SavedSearchDto, UpdateSavedSearchDto } from './saved-searches.dto';
import { SavedSearchesService } from './saved-searches.service';

/** Saved searches: jobs on Upwork that the synchronisation looks for. */
@ApiTags('Sync')
@SignedIn()
@Controller({ path: 'saved-searches', version: '1' })
export class SavedSearchesController {
  constructor(private readonly searches: SavedSearchesService) {}

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createSavedSearch',
    summary: 'Create a saved search',
    description: 'The search runs on Upwork every 15 minutes, and with POST /v1/jobs/sync.',
  })
  @ApiCreatedResponse({ type: SavedSearchDto, description: 'The saved search.' })
  create(@Body() dto: CreateSavedSearchDto): Promise<SavedSearchDto> {
    return this.searches.create(dto);
  }

  @Get()
  @ApiOperation({
    operationId: 'listSavedSearches',
    summary: 'List saved searches',
    description: 'Returns your saved searches with the number of new matches, oldest first.',
  })
  @ApiPage(SavedSearchDto)
  list(@Query() query: PageQueryDto): Promise<Page<SavedSearchDto>> {
    return this.searches.list(query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getSavedSearch',
    summary: 'Get a saved search',
    description: 'Returns the search with its ETag.',
  })
  @ApiOkResponse({ type: SavedSearchDto, description: 'The saved search.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<SavedSearchDto> {
    return this.searches.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateSavedSearch',
    summary: 'Update a saved search',
    description: 'Takes a JSON merge patch. A new query or filter makes the search start over.',
  })
  @ApiOkResponse({ type: SavedSearchDto, description: 'The updated search.' })
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() dto: UpdateSavedSearchDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<SavedSearchDto> {
    return this.searches.update(id, dto, ifMatch);
  }

  @Post(':id/restore')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'restoreSavedSearch',
    summary: 'Restore a version of a saved search',
    description:
      'The version after the audit entry `auditId` becomes a new change (GET /v1/audit/{table}/{recordId} lists ' +
      'entries). A deleted search comes back with its id. A search that changes starts over.',
  })
  @ApiOkResponse({ type: SavedSearchDto, description: 'The restored search.' })
  restore(
    @Param('id', ParseIdPipe) id: number,
    @Body() { auditId }: RestoreDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<SavedSearchDto> {
    return this.searches.restore(id, auditId, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteSavedSearch',
    summary: 'Delete a saved search',
    description: 'Deletes the search. The jobs it found stay.',
  })
  @ApiNoContentResponse({ description: 'The search is deleted.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.searches.remove(id, ifMatch);
  }
}
