import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ProfileDto, PutProfileDto } from './profile.dto';
import { ProfileService } from './profile.service';

/** What the user says of himself; drafts are written from it. */
@ApiTags('Profile')
@SignedIn()
@Controller({ path: 'profile', version: '1' })
export class ProfileController {
  constructor(private readonly profile: ProfileService) {}

  @Get()
  @ApiOperation({
    operationId: 'getProfile',
    summary: 'Read your profile',
    description: 'Empty, with version 0, before you have written one.',
  })
  @ApiOkResponse({ type: ProfileDto, description: 'The profile.' })
  get(): Promise<ProfileDto> {
    return this.profile.get();
  }

  @Put()
  @ApiOperation({
    operationId: 'putProfile',
    summary: 'Write your profile',
    description:
      'The whole of it: what you leave out is empty afterwards. AI drafts may claim what stands here, and no more.',
  })
  @ApiOkResponse({ type: ProfileDto, description: 'The profile as it now is.' })
  put(@Body() dto: PutProfileDto, @IfMatch() ifMatch?: Preconditions): Promise<ProfileDto> {
    return this.profile.put(dto, ifMatch);
  }
}
