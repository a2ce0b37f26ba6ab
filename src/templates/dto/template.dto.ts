import { ApiProperty } from '@nestjs/swagger';
import type { Template } from '../template.entity';
import { TEMPLATE_TYPES, type TemplateType } from '../template-types';

/** A template as the API shows it. */
export class TemplateDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 3 })
  id: number;

  @ApiProperty({ type: String, description: 'How the user calls it.', example: 'Short and warm' })
  name: string;

  @ApiProperty({ type: String, enum: TEMPLATE_TYPES, description: 'What it is for.', example: 'cover_letter' })
  type: TemplateType;

  @ApiProperty({ type: String, description: 'The letter.', example: 'Hello, I have done this before: …' })
  body: string;

  @ApiProperty({ type: 'integer', description: 'Grows with each change; its ETag.', example: 1 })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was made.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it last changed.',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Shows a row of the table. */
  static from(this: void, { id, name, type, body, version, createdAt, updatedAt }: Template): TemplateDto {
    return { id, name, type, body, version, createdAt, updatedAt };
  }
}
