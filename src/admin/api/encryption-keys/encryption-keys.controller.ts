import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { AdminOnly } from '../../../platform/http/access/access';
import { LocationAt } from '../../../platform/http/responses/preconditions';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor';
import { EncryptionKeyListDto } from './encryption-keys.dto';
import { RunTaskDto } from '../reason.dto';
import { TaskRunDto } from '../tasks/tasks.dto';
import { EncryptionKeysService } from './encryption-keys.service';

/** Routes for the master keys of secrets at rest; every request is a security event. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/encryption-keys', version: '1' })
export class EncryptionKeysController {
  constructor(private readonly keys: EncryptionKeysService) {}

  @Get()
  @ApiOperation({
    operationId: 'listEncryptionKeys',
    summary: 'List encryption keys',
    description:
      'Master keys by id with their uses, and the latest rotation with its progress. Keys are never shown. An old ' +
      'key can be removed when it wraps no data key and no backup needs it.',
  })
  @ApiOkResponse({ type: EncryptionKeyListDto, description: 'The keys, the current one first.' })
  list(): Promise<EncryptionKeyListDto> {
    return this.keys.list();
  }

  @Post('rotate')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/admin/encryption-keys')
  @ApiOperation({
    operationId: 'rotateEncryptionKeys',
    summary: 'Rotate encryption keys',
    description:
      'Queues a run that wraps all data keys with a new master key, or continues an unfinished rotation. With a key ' +
      'file, a new key is created and used once every process has it; otherwise the first of ENCRYPTION_KEYS is ' +
      'used, which may name a key in a key management service. Reads and writes continue meanwhile. ' +
      'Needs POST /v1/auth/step-up within the last 10 minutes.',
  })
  @ApiAcceptedResponse({ type: TaskRunDto, description: 'The queued run.' })
  rotate(@Body() { reason }: RunTaskDto): Promise<TaskRunDto> {
    return this.keys.rotate(reason);
  }

  @Post(':id/retire')
  @Idempotent()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'retireEncryptionKey',
    summary: 'Destroy an encryption key',
    description:
      'Removes an old key from the key file for good. Answers 409 while it wraps data keys, a stored backup needs ' +
      'it, or a rotation ended less than a minute ago. Copies of older backups can then no longer be decrypted. ' +
      'Keys of ENCRYPTION_KEYS, also those in a key management service, are 409: remove them there. ' +
      'Needs POST /v1/auth/step-up within the last 10 minutes.',
  })
  @ApiParam({ name: 'id', type: 'string', description: 'Id of the key.', example: 'k1' })
  @ApiNoContentResponse({ description: 'The key was destroyed.' })
  retire(@Param('id') id: string, @Body() { reason }: RunTaskDto): Promise<void> {
    return this.keys.retire(id, reason);
  }
}
