import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../platform/http/openapi/dto-fields';

const HASH_EXAMPLE = 'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=';
const CHECKPOINT_EXAMPLE = 'gigvault.example.org/audit\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n\n— …\n';
const KEY_EXAMPLE = 'gigvault.example.org/audit+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

/** The head of the Merkle tree of both logs. */
class TreeHeadDto {
  @ApiProperty({ type: 'integer', description: 'Number of entries of the tree.', example: 1 })
  treeSize: number;

  @ApiProperty({
    type: String,
    description: 'Head of the tree: a signed C2SP checkpoint.',
    example: CHECKPOINT_EXAMPLE,
  })
  checkpoint: string;

  @ApiProperty({ type: String, description: 'Key that signed it, a C2SP verifier key.', example: KEY_EXAMPLE })
  verifierKey: string;
}

/** One seal: the entries that it added to the tree, and the head after them. */
export class SealDto extends TreeHeadDto {
  @ApiProperty({ type: 'integer', description: 'Number of the seal.', example: 1 })
  id: number;

  @ApiInstant({ description: 'When it was made (UTC).' })
  sealedAt: Date;

  @ApiProperty({ type: 'integer', description: 'Number of entries that it added.', example: 1 })
  rows: number;

  @ApiProperty({
    type: 'integer',
    description: 'Number of witnesses that cosigned the head; the checkpoint has their signatures.',
    example: 0,
  })
  witnesses: number;
}

/** The proof that a row of the audit log is in the tree, and what its hash consists of. */
export class AuditProofDto extends TreeHeadDto {
  @ApiProperty({ type: 'integer', description: 'Index of the row in the tree, from 0.', example: 0 })
  leafIndex: number;

  @ApiProperty({ type: String, format: 'byte', description: 'Entry of the row in the tree.', example: HASH_EXAMPLE })
  entry: string;

  @ApiProperty({
    type: [String],
    description: 'Inclusion proof of RFC 6962, from the leaf to the root; each hash in base64.',
    example: [HASH_EXAMPLE],
  })
  path: string[];

  @ApiProperty({
    type: String,
    description: 'Columns that the entry covers, separated by U+001F.',
    example: '7\u001fjobs\u001f42\u001fUPDATE\u001fuser\u001f7\u001f5b0f2b0e\u001fPATCH /v1/jobs/:id\u001f9001',
  })
  columns: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Old values, new values and reason, each on a line; null after they were erased.',
    example: '{"title": "a"}\n{"title": "b"}\n',
  })
  values: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'Salt of the hashes in hexadecimal digits: 16 bytes for the values; for your own changes, 16 more for the ' +
      'address.',
    example: '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
  })
  salt: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'SHA-256 over the first half of the salt and the values, in hexadecimal digits.',
    example: '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  })
  valuesHash: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'SHA-256 over the second half of the salt and the address; null without an address.',
    example: null,
  })
  addressHash: string | null;
}
