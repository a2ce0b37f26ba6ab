import { ApiProperty } from '@nestjs/swagger';

/** Kinds of organizations: only freelancers and agencies have proposals. */
export const ORGANIZATION_TYPES = ['freelancer', 'agency', 'client'] as const;

/** Organization to which the user of a connection belongs. */
export class OrganizationDto {
  @ApiProperty({ type: String, description: "The provider's id of the organization.", example: '1234567890' })
  id: string;

  @ApiProperty({ type: String, description: 'Name of the organization.', example: 'Ann Smith' })
  title: string;

  @ApiProperty({
    enum: ORGANIZATION_TYPES,
    description: 'Kind of the organization. A connection works for a freelancer or an agency, not for a client.',
    example: 'freelancer',
  })
  type: (typeof ORGANIZATION_TYPES)[number];
}

/** What the API key of a connection lacks at Upwork. */
export class MissingCapabilitiesDto {
  @MissingPartsProperty('the search of jobs')
  jobs: readonly string[];

  @MissingPartsProperty('the synchronisation of proposals')
  proposals: readonly string[];

  @MissingPartsProperty('the synchronisation of messages')
  messages: readonly string[];

  @MissingPartsProperty('the sending of a reply')
  replies: readonly string[];

  @MissingPartsProperty('the full posting of a job')
  details: readonly string[];
}

/** Declares the parts of Upwork's schema that one capability lacks. */
function MissingPartsProperty(capability: string): PropertyDecorator {
  const description = `Parts of Upwork's schema that ${capability} needs and the API key cannot see.`;
  return ApiProperty({ type: [String], description, example: [] });
}

/** What a connection can do at Upwork. */
export class CapabilitiesDto {
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When this was last checked with success (UTC); null before. Checked weekly.',
    example: null,
  })
  checkedAt: Date | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why the latest check failed; null when it succeeded.',
    example: null,
  })
  error: string | null;

  @ApiProperty({
    type: MissingCapabilitiesDto,
    nullable: true,
    description: 'What the owner of the API key must add permissions for, by capability; null until it was checked.',
    example: null,
  })
  missing: MissingCapabilitiesDto | null;
}
