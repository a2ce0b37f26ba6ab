import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Post } from '../platform/idempotency/post';
import { CreateSavedSearchDto, SavedSearchDto, UpdateSavedSearchDto } from './saved-searches.dto';
import { SavedSearchesService } from './saved-searches.service';

/** Searches for vacancies that run by themselves. */
@ApiTags('Synchronisation')
@SignedIn()
@Controller({ path: 'saved-searches', version: '1' })
export class SavedSearchesController {
  constructor(private readonly searches: SavedSearchesService) {}

  @Post()
  @ApiOperation({
    operationId: 'createSavedSearch',
    summary: 'Save a search',
    description: 'It runs on Upwork every quarter of an hour, and with POST /v1/jobs/sync.',
  })
  @ApiCreatedResponse({ type: SavedSearchDto, description: 'The search.' })
  create(@Body() dto: CreateSavedSearchDto): Promise<SavedSearchDto> {
    return this.searches.create(dto);
  }

  @Get()
  @ApiOperation({
    operationId: 'listSavedSearches',
    summary: 'List your saved searches',
    description: 'Oldest first, with the number of new matches.',
  })
  @ApiPage(SavedSearchDto)
  list(@Query() query: PageQueryDto): Promise<Page<SavedSearchDto>> {
    return this.searches.list(query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getSavedSearch', summary: 'Read a saved search', description: 'With its ETag.' })
  @ApiOkResponse({ type: SavedSearchDto, description: 'The search.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<SavedSearchDto> {
    return this.searches.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateSavedSearch',
    summary: 'Change a saved search',
    description: 'A JSON merge patch.',
  })
  @ApiOkResponse({ type: SavedSearchDto, description: 'The search as it is now.' })
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() dto: UpdateSavedSearchDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<SavedSearchDto> {
    return this.searches.update(id, dto, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteSavedSearch',
    summary: 'Delete a saved search',
    description: 'The jobs it found stay.',
  })
  @ApiNoContentResponse({ description: 'It is gone.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.searches.remove(id, ifMatch);
  }
}
