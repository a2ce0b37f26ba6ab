import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { TextField } from '../../platform/http/text-field';
import { TEMPLATE_TYPES, type TemplateType } from '../template-types';

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
