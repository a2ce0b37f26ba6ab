import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../platform/http/openapi/dto-fields';

const KEY_EXAMPLE = 'gigvault.example.org/witness+b70d7c84+BDpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const CHECKPOINT_EXAMPLE = 'log.example.org/audit\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n\n— …\n— …\n';

/** A log of which this installation has cosigned a head. */
class WitnessedLogDto {
  @ApiProperty({ type: String, description: 'Origin of the log.', example: 'log.example.org/audit' })
  origin: string;

  @ApiProperty({ type: 'integer', description: 'Number of entries of its newest cosigned head.', example: 1 })
  treeSize: number;

  @ApiProperty({
    type: String,
    description: 'This head: a C2SP checkpoint, signed by the log and cosigned.',
    example: CHECKPOINT_EXAMPLE,
  })
  checkpoint: string;

  @ApiInstant({ description: 'When it was cosigned (UTC).' })
  cosignedAt: Date;
}

/** This installation as a witness of other logs. */
export class WitnessDto {
  @ApiProperty({
    type: [String],
    description: 'C2SP verifier keys of this witness, the newest first; empty when it is none.',
    example: [KEY_EXAMPLE],
  })
  verifierKeys: string[];

  @ApiProperty({ type: [WitnessedLogDto], description: 'Logs of which it has cosigned a head, by origin.' })
  logs: WitnessedLogDto[];
}
