import { Body, Controller, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access';
import { IfMatch, type Preconditions } from '../platform/http/if-match';
import type { Page } from '../platform/http/page';
import { ApiPage } from '../platform/http/page-response';
import { ParseIdPipe } from '../platform/http/parse-id.pipe';
import { Post } from '../platform/idempotency/post';
import { AcceptGenerationDto } from './dto/accept-generation.dto';
import { AcceptedLetterDto } from './dto/accepted-letter.dto';
import { LetterVersionDto } from './dto/letter-version.dto';
import { ListLetterVersionsDto } from './dto/list-letter-versions.dto';
import { Letters } from './letters.service';

/** From draft to proposal. */
@ApiTags('AI')
@SignedIn()
@Controller({ path: 'ai', version: '1' })
export class LettersController {
  constructor(private readonly letters: Letters) {}

  @Post('generations/:id/accept')
  @HttpCode(200)
  @ApiOperation({
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
    return this.letters.accept(id, dto, ifMatch);
  }

  @Get('letter-versions')
  @ApiOperation({ summary: "List the versions of a proposal's letter", description: 'Newest first.' })
  @ApiPage(LetterVersionDto)
  versions(@Query() query: ListLetterVersionsDto): Promise<Page<LetterVersionDto>> {
    return this.letters.versions(query);
  }
}
