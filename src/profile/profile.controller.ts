import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ProfileDto, PutProfileDto } from './profile.dto';
import { ProfileService } from './profile.service';

/** Routes for the user's profile, from which AI drafts are written. */
@ApiTags('Profile')
@SignedIn()
@Controller({ path: 'profile', version: '1' })
export class ProfileController {
  constructor(private readonly profile: ProfileService) {}

  @Get()
  @ApiOperation({
    operationId: 'getProfile',
    summary: 'Get your profile',
    description: 'An empty profile with version 0 until you store one.',
  })
  @ApiOkResponse({ type: ProfileDto, description: 'The profile.' })
  get(): Promise<ProfileDto> {
    return this.profile.get();
  }

  @Put()
  @ApiOperation({
    operationId: 'putProfile',
    summary: 'Replace your profile',
    description:
      'Replaces the whole profile; absent fields become empty. AI drafts may claim only what the profile contains.',
  })
  @ApiOkResponse({ type: ProfileDto, description: 'The stored profile.' })
  put(@Body() dto: PutProfileDto, @IfMatch() ifMatch?: Preconditions): Promise<ProfileDto> {
    return this.profile.put(dto, ifMatch);
  }
}
