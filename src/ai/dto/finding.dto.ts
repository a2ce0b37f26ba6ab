import { ApiProperty } from '@nestjs/swagger';

/** Something to look at before a draft is sent. */
export class FindingDto {
  @ApiProperty({
    type: String,
    enum: ['contact_details', 'claim_beyond_profile', 'truncated', 'filtered'],
    description: 'What it is.',
    example: 'claim_beyond_profile',
  })
  code: string;

  @ApiProperty({
    type: String,
    description: 'A sentence for the user.',
    example: 'it says "20 years", but your profile says 12 years',
  })
  message: string;

  @ApiProperty({ type: String, description: 'The words it is about.', example: '20 years' })
  excerpt: string;
}
