import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsString } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';

const MAX_SKILLS = 50;
const MAX_SKILL_LENGTH = 100;

/** A list of skills: trimmed, each once, in the order given. */
export function SkillsField(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: TransformFnParams): unknown => (Array.isArray(value) ? distinct(value) : value)),
    IsArray(),
    ArrayMaxSize(MAX_SKILLS),
    IsString({ each: true }),
    TextLength(1, MAX_SKILL_LENGTH, { each: true }),
  );
}

function distinct(skills: readonly unknown[]): unknown[] {
  return [...new Set(skills.map((skill) => (typeof skill === 'string' ? skill.trim() : skill)))];
}
