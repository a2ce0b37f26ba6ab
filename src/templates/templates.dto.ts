import { ApiProperty, PartialType } from '@nestjs/swagger';
import type { Template } from './template.entity';
import { EnumField } from '../platform/http/validation/fields';
import { TextField } from '../platform/http/validation/text';

/** Types of templates. The CHECK of templates.generation_type lists the same. */
export const TEMPLATE_TYPES = ['proposal', 'cover_letter', 'message'] as const;

/** One of TEMPLATE_TYPES. */
export type TemplateType = (typeof TEMPLATE_TYPES)[number];

/** Body of POST /v1/templates. */
export class CreateTemplateDto {
  @TextField({ max: 100, description: 'Name of the template, unique among yours.', example: 'Short and warm' })
  name: string;

  @EnumField(TEMPLATE_TYPES, { description: 'Type of the drafts that follow it.', example: 'cover_letter' })
  type: TemplateType;

  @TextField({ max: 10_000, description: 'Text in your own words.', example: 'Hello, I have done this before: …' })
  body: string;
}

/** A template as the API returns it. */
export class TemplateDto {
  @ApiProperty({ type: 'integer', description: 'Id of the template.', example: 3 })
  id: number;

  @ApiProperty({ type: String, description: 'Name of the template.', example: 'Short and warm' })
  name: string;

  @ApiProperty({
    type: String,
    enum: TEMPLATE_TYPES,
    description: 'Type of the drafts that follow it.',
    example: 'cover_letter',
  })
  type: TemplateType;

  @ApiProperty({ type: String, description: 'Text of the template.', example: 'Hello, I have done this before: …' })
  body: string;

  @ApiProperty({
    type: 'integer',
    description: 'Version number, one higher after each change; also the ETag.',
    example: 1,
  })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was created (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was last changed (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Builds the DTO from a row. */
  static from(this: void, { id, name, type, body, version, createdAt, updatedAt }: Template): TemplateDto {
    return { id, name, type, body, version, createdAt, updatedAt };
  }
}

/** Body of PATCH /v1/templates/:id, a JSON merge patch. */
export class UpdateTemplateDto extends PartialType(CreateTemplateDto, { skipNullProperties: false }) {}
