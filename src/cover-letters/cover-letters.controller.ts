import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Idempotent } from '../platform/idempotency/idempotency.interceptor';
import { AcceptedLetterDto, AcceptGenerationDto, LetterVersionDto, ListLetterVersionsDto } from './cover-letters.dto';
import { CoverLettersService } from './cover-letters.service';

/** Cover letters of proposals: accept a draft, list versions. */
@ApiTags('AI')
@SignedIn()
@Controller({ path: 'ai', version: '1' })
export class CoverLettersController {
  constructor(private readonly coverLetters: CoverLettersService) {}

  @Post('generations/:id/accept')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'acceptCoverLetter',
    summary: 'Accept a draft as a cover letter',
    description:
      'Sets the text of a succeeded generation as the cover letter of a draft proposal; the previous one is kept as ' +
      'a version. The answer lists your cover letters that are so similar that a client may notice. If-Match ' +
      'takes ' +
      'the ETag of the proposal.',
  })
  @ApiOkResponse({
    type: AcceptedLetterDto,
    description: 'The new cover letter, its findings, and similar cover letters.',
  })
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
    summary: 'List cover letter versions',
    description: 'Returns the versions of a proposal’s cover letter, newest first.',
  })
  @ApiPage(LetterVersionDto)
  listVersions(@Query() query: ListLetterVersionsDto): Promise<Page<LetterVersionDto>> {
    return this.coverLetters.listVersions(query);
  }
}
