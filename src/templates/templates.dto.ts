import { ApiProperty, PartialType } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { TextField } from '../platform/http/validation/text';
import type { Template } from './template.entity';

/** What a template is for; the CHECK of templates.generation_type lists the same. */
export const TEMPLATE_TYPES = ['proposal', 'cover_letter', 'message'] as const;

/** What a template is for. */
export type TemplateType = (typeof TEMPLATE_TYPES)[number];

/** What a template is made of. */
export class CreateTemplateDto {
  @ApiProperty({
    type: String,
    maxLength: 100,
    description: 'How you call it; each name once.',
    example: 'Short and warm',
  })
  @TextField(100)
  name: string;

  @ApiProperty({ type: String, enum: TEMPLATE_TYPES, description: 'What it is for.', example: 'cover_letter' })
  @IsIn(TEMPLATE_TYPES)
  type: TemplateType;

  @ApiProperty({
    type: String,
    maxLength: 10_000,
    description: 'The letter in your own words.',
    example: 'Hello, I have done this before: …',
  })
  @TextField(10_000)
  body: string;
}

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

/** A merge patch of a template. */
export class UpdateTemplateDto extends PartialType(CreateTemplateDto, { skipNullProperties: false }) {}
