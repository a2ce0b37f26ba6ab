import { Body, Controller, Get, HttpCode } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdminOnly, StepUp } from '../platform/http/access';
import { Post } from '../platform/idempotency/post';
import { EncryptionKeyListDto } from './dto/encryption-key-list.dto';
import { RunTaskDto } from './dto/run-task.dto';
import { TaskRunDto } from './dto/task-run.dto';
import { EncryptionKeysService } from './encryption-keys.service';

/** The keys of secrets at rest; each act and each reading is a security event. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/encryption-keys', version: '1' })
export class EncryptionKeysController {
  constructor(private readonly keys: EncryptionKeysService) {}

  @Get()
  @ApiOperation({ summary: 'List the encryption keys', description: 'By id, with their uses: the progress of a rotation. An old key may go when it has no uses and no backup needs it.' })
  @ApiOkResponse({ type: EncryptionKeyListDto, description: 'The keys, the current one first.' })
  async list(): Promise<EncryptionKeyListDto> {
    return { items: await this.keys.list() };
  }

  @Post('rotate')
  @StepUp()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Rotate the encryption keys',
    description: 'Wraps all data keys with the current key, the first of ENCRYPTION_KEYS. Reads and writes go on meanwhile. Asks for a fresh step-up.',
  })
  @ApiAcceptedResponse({ type: TaskRunDto, description: 'The queued run.' })
  rotate(@Body() { reason }: RunTaskDto): Promise<TaskRunDto> {
    return this.keys.rotate(reason);
  }
}
