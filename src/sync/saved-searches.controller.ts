import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access';
import { IfMatch, type Preconditions } from '../platform/http/if-match';
import type { Page } from '../platform/http/page';
import { PageQueryDto } from '../platform/http/page-query.dto';
import { ApiPage } from '../platform/http/page-response';
import { ParseIdPipe } from '../platform/http/parse-id.pipe';
import { Post } from '../platform/idempotency/post';
import { CreateSavedSearchDto } from './dto/create-saved-search.dto';
import { SavedSearchDto } from './dto/saved-search.dto';
import { UpdateSavedSearchDto } from './dto/update-saved-search.dto';
import { SavedSearchesService } from './saved-searches.service';

/** Searches for vacancies that run by themselves. */
@ApiTags('Synchronisation')
@SignedIn()
@Controller({ path: 'saved-searches', version: '1' })
export class SavedSearchesController {
  constructor(private readonly searches: SavedSearchesService) {}

  @Post()
  @ApiOperation({
    summary: 'Save a search',
    description: 'It runs on Upwork every quarter of an hour, and with POST /v1/jobs/sync.',
  })
  @ApiCreatedResponse({ type: SavedSearchDto, description: 'The search.' })
  create(@Body() dto: CreateSavedSearchDto): Promise<SavedSearchDto> {
    return this.searches.create(dto);
  }

  @Get()
  @ApiOperation({ summary: 'List your saved searches', description: 'Oldest first, with the number of new matches.' })
  @ApiPage(SavedSearchDto)
  list(@Query() query: PageQueryDto): Promise<Page<SavedSearchDto>> {
    return this.searches.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a saved search', description: 'With its ETag.' })
  @ApiOkResponse({ type: SavedSearchDto, description: 'The search.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<SavedSearchDto> {
    return this.searches.get(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a saved search', description: 'A JSON merge patch.' })
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
  @ApiOperation({ summary: 'Delete a saved search', description: 'The jobs it found stay.' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.searches.remove(id, ifMatch);
  }
}
