import { Body, Controller, Get, HttpCode, HttpStatus } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../../platform/http/access/access';
import { Post } from '../../platform/idempotency/post';
import {
  BackupCodesDto,
  ConfirmTotpDto,
  EnrolTotpDto,
  MfaStatusDto,
  PasswordAndCodeDto,
  TotpEnrolmentDto,
} from './mfa.dto';
import { MfaService } from './mfa.service';

/** Two-factor sign-in of one's own account. */
@ApiTags('Auth')
@SignedIn()
@Controller({ path: 'auth/mfa', version: '1' })
export class MfaController {
  constructor(private readonly mfa: MfaService) {}

  @Get()
  @ApiOperation({
    operationId: 'getMfaStatus',
    summary: 'See whether two-factor sign-in is on',
    description: 'And how many backup codes are left.',
  })
  @ApiOkResponse({ type: MfaStatusDto })
  getStatus(): Promise<MfaStatusDto> {
    return this.mfa.getStatus();
  }

  @Post('totp')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'enrolTotp',
    summary: 'Ask for a secret',
    description: 'Takes effect after /confirm; asking again replaces it. SHA-1, six digits, 30 seconds.',
  })
  @ApiOkResponse({ type: TotpEnrolmentDto })
  enrol(@Body() { password }: EnrolTotpDto): Promise<TotpEnrolmentDto> {
    return this.mfa.enrol(password);
  }

  @Post('totp/confirm')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'confirmTotp',
    summary: 'Turn two-factor sign-in on',
    description: 'Takes the first code of the authenticator and shows the backup codes, this once.',
  })
  @ApiOkResponse({ type: BackupCodesDto })
  async confirm(@Body() { code }: ConfirmTotpDto): Promise<BackupCodesDto> {
    return { backupCodes: await this.mfa.confirm(code) };
  }

  @Post('totp/disable')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'disableMfa',
    summary: 'Turn two-factor sign-in off',
    description: 'Takes the password and a code.',
  })
  @ApiNoContentResponse({ description: 'The password alone signs in now.' })
  disable(@Body() { password, code }: PasswordAndCodeDto): Promise<void> {
    return this.mfa.disable(password, code);
  }

  @Post('backup-codes')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'replaceBackupCodes',
    summary: 'Replace the backup codes',
    description: 'Shows the new ones, this once; the old ones are dead.',
  })
  @ApiOkResponse({ type: BackupCodesDto })
  async replaceBackupCodes(@Body() { password, code }: PasswordAndCodeDto): Promise<BackupCodesDto> {
    return { backupCodes: await this.mfa.replaceBackupCodes(password, code) };
  }
}
