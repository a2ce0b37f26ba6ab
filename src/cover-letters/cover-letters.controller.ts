import { Body, Controller, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Post } from '../platform/idempotency/post';
import { AcceptedLetterDto, AcceptGenerationDto, LetterVersionDto, ListLetterVersionsDto } from './cover-letters.dto';
import { CoverLettersService } from './cover-letters.service';

/** From draft to proposal. */
@ApiTags('AI')
@SignedIn()
@Controller({ path: 'ai', version: '1' })
export class CoverLettersController {
  constructor(private readonly coverLetters: CoverLettersService) {}

  @Post('generations/:id/accept')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'acceptCoverLetter',
    summary: 'Make it a cover letter',
    description:
      'Needs a complete generation and a proposal that is a draft (POST /v1/proposals); the letter it replaces is kept. Tells which of your own letters are so much like it that a client may notice. If-Match is the proposal’s.',
  })
  @ApiOkResponse({ type: AcceptedLetterDto, description: 'What became of it.' })
  accept(
    @Param('id', ParseIdPipe) id: number,
    @Body() dto: AcceptGenerationDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<AcceptedLetterDto> {
    return this.coverLetters.accept(id, dto, ifMatch);
  }

  @Get('letter-versions')
  @ApiOperation({
    operationId: 'listCoverLetterVersions',
    summary: "List the versions of a proposal's letter",
    description: 'Newest first.',
  })
  @ApiPage(LetterVersionDto)
  listVersions(@Query() query: ListLetterVersionsDto): Promise<Page<LetterVersionDto>> {
    return this.coverLetters.listVersions(query);
  }
}
