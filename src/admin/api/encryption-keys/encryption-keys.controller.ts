import { Body, Controller, Get, HttpCode, Param } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { AdminOnly, StepUp } from '../../../platform/http/access/access';
import { LocationAt } from '../../../platform/http/responses/resource-headers';
import { Post } from '../../../platform/idempotency/post';
import { EncryptionKeyListDto } from './encryption-keys.dto';
import { RunTaskDto } from '../reason.dto';
import { TaskRunDto } from '../tasks/tasks.dto';
import { EncryptionKeysService } from './encryption-keys.service';

/** The keys of secrets at rest; each act and each reading is a security event. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/encryption-keys', version: '1' })
export class EncryptionKeysController {
  constructor(private readonly keys: EncryptionKeysService) {}

  @Get()
  @ApiOperation({
    operationId: 'listEncryptionKeys',
    summary: 'List the encryption keys',
    description:
      'By id, with their uses, and the latest rotation with its progress. An old key may go when it has no uses and no backup needs it.',
  })
  @ApiOkResponse({ type: EncryptionKeyListDto, description: 'The keys, the current one first.' })
  list(): Promise<EncryptionKeyListDto> {
    return this.keys.list();
  }

  @Post('rotate')
  @StepUp()
  @HttpCode(202)
  @LocationAt('/v1/admin/encryption-keys')
  @ApiOperation({
    operationId: 'rotateEncryptionKeys',
    summary: 'Rotate the encryption keys',
    description:
      'Where keys come from a key file, makes a new one, which is used once every process has it; else goes on with the first of ENCRYPTION_KEYS. Then wraps all data keys with it. Carries on a rotation that is under way. Reads and writes go on meanwhile. Needs a re-authentication within the last 10 minutes.',
  })
  @ApiAcceptedResponse({ type: TaskRunDto, description: 'The queued run.' })
  rotate(@Body() { reason }: RunTaskDto): Promise<TaskRunDto> {
    return this.keys.rotate(reason);
  }

  @Post(':id/retire')
  @StepUp()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'retireEncryptionKey',
    summary: 'Destroy an old encryption key',
    description:
      'Out of the key file, when it wraps nothing any more. Backups made while it wrapped do not open any more. Needs a re-authentication within the last 10 minutes.',
  })
  @ApiParam({ name: 'id', type: 'string', description: 'The key.', example: 'k1' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  retire(@Param('id') id: string, @Body() { reason }: RunTaskDto): Promise<void> {
    return this.keys.retire(id, reason);
  }
}
