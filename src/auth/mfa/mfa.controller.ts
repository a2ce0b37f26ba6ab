import { Body, Controller, Get, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OpenBeforeEnrolment, SignedIn } from '../../platform/http/access/access';
import { NotIdempotent } from '../../platform/idempotency/idempotency.interceptor';
import {
  BackupCodesDto,
  ConfirmTotpDto,
  EnrolTotpDto,
  MfaStatusDto,
  PasswordAndCodeDto,
  TotpEnrolmentDto,
} from './mfa.dto';
import { MfaService } from './mfa.service';

/** Routes for two-factor sign-in of the user's own account. */
@ApiTags('Auth')
@SignedIn()
@OpenBeforeEnrolment()
@NotIdempotent('responses contain secrets')
@Controller({ path: 'auth/mfa', version: '1' })
export class MfaController {
  constructor(private readonly mfa: MfaService) {}

  @Get()
  @ApiOperation({
    operationId: 'getMfaStatus',
    summary: 'Get the two-factor status',
    description: 'Says whether two-factor sign-in is on and how many backup codes are left.',
  })
  @ApiOkResponse({ type: MfaStatusDto })
  getStatus(): Promise<MfaStatusDto> {
    return this.mfa.getStatus();
  }

  @Post('totp')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'enrolTotp',
    summary: 'Start TOTP enrolment',
    description:
      'Creates a secret, which takes effect after /confirm; another request replaces it. ' +
      'SHA-1, six digits, 30 seconds.',
  })
  @ApiOkResponse({ type: TotpEnrolmentDto })
  enrol(@Body() { password }: EnrolTotpDto): Promise<TotpEnrolmentDto> {
    return this.mfa.enrol(password);
  }

  @Post('totp/confirm')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'confirmTotp',
    summary: 'Turn on two-factor sign-in',
    description: 'Takes the first code of the authenticator. Returns the backup codes, which are not shown again.',
  })
  @ApiOkResponse({ type: BackupCodesDto })
  async confirm(@Body() { code }: ConfirmTotpDto): Promise<BackupCodesDto> {
    return { backupCodes: await this.mfa.confirm(code) };
  }

  @Post('totp/disable')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'disableMfa',
    summary: 'Turn off two-factor sign-in',
    description: 'Needs the password and a code of the authenticator or a backup code.',
  })
  @ApiNoContentResponse({ description: 'Sign-in requires the password only.' })
  disable(@Body() { password, code }: PasswordAndCodeDto): Promise<void> {
    return this.mfa.disable(password, code);
  }

  @Post('backup-codes')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'replaceBackupCodes',
    summary: 'Replace your backup codes',
    description:
      'Needs the password and a code. Returns new codes, which are not shown again. The old codes no longer work.',
  })
  @ApiOkResponse({ type: BackupCodesDto })
  async replaceBackupCodes(@Body() { password, code }: PasswordAndCodeDto): Promise<BackupCodesDto> {
    return { backupCodes: await this.mfa.replaceBackupCodes(password, code) };
  }
}
