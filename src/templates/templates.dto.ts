import { PartialType } from '@nestjs/swagger';
import { ApiId, ApiInstant, ApiVersionNumber, pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
import { EnumField, TextField } from '../platform/http/validation/fields';

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

  @TextField({
    max: 10_000,
    description: 'Text of the template, in your own words.',
    example: 'Hello, I have done this before: …',
  })
  body: string;
}

/** A template as the API returns it. */
export class TemplateDto extends ResponseType(CreateTemplateDto) {
  @ApiId('Id of the template.')
  id: number;

  @ApiVersionNumber()
  version: number;

  @ApiInstant({ description: 'When it was created (UTC).' })
  createdAt: Date;

  @ApiInstant({ description: 'When it was last changed (UTC).' })
  updatedAt: Date;

  /** Builds the DTO from a row. */
  static from(this: void, template: TemplateDto): TemplateDto {
    return pickFields(TemplateDto, template);
  }
}

/** Body of PATCH /v1/templates/:id, a JSON merge patch. */
export class UpdateTemplateDto extends PartialType(CreateTemplateDto, { skipNullProperties: false }) {}
