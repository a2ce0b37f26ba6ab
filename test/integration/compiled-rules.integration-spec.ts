import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CreateJobDto, UpdateJobDto } from '../../src/jobs/jobs.dto';
import { ListJobsDto } from '../../src/jobs/jobs-list.dto';
import { CompiledValidation } from '../../src/platform/http/validation/request-validation.pipe';
import { CreateProposalDto, ListProposalsDto } from '../../src/proposals/proposals.dto';

const DTOS: Type<object>[] = [CreateJobDto, UpdateJobDto, ListJobsDto, CreateProposalDto, ListProposalsDto];

const FIELDS = [
  'title',
  'description',
  'budgetMin',
  'budgetMax',
  'currency',
  'skills',
  'clientInfo',
  'jobType',
  'status',
  'isFavorite',
  'limit',
  'q',
  'jobId',
  'content',
  'bidAmount',
  'unknown',
];

const VALUES: unknown[] = [
  ...[undefined, null, true, 'true', '', ' ', 'x', ' padded ', 'y'.repeat(600), 0, 1, -1, 20, '20', '1e3'],
  ...[
    '5',
    '100.50',
    '1234567890.00',
    'eur',
    'EUR',
    'XXXX',
    'fixed',
    'active',
    'deleted',
    'draft',
    'a,b',
    '2026-02-30T00:00:00Z',
  ],
  ...[[], ['SQL'], ['SQL', 'SQL'], ['SQL', ''], [1], {}, { a: 1 }, { a: { b: [1] } }],
];

describe(CompiledValidation.name, () => {
  const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;

  it.each(DTOS.map((dto) => [dto.name, dto] as const))(
    'accepts the same values of %s as class-validator, with the same result',
    (_, dto) => {
      const rules = CompiledValidation.of(dto)!;
      let accepted = 0;
      for (let i = 0; i < 2_000; i++) {
        const plain = Object.fromEntries(Array.from({ length: i % 4 }, () => [any(FIELDS), any(VALUES)]));
        const base = dto === CreateJobDto ? { title: 'A job' } : dto === CreateProposalDto ? { jobId: 1 } : {};
        const body = { ...base, ...plain };
        const instance = plainToInstance(dto, structuredClone(body));
        const isGood =
          validateSync(instance, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false }).length ===
          0;
        const made = rules.accept(body);

        expect({ body, made }).toEqual({ body, made: isGood ? instance : null });
        if (made) expect(made).toBeInstanceOf(dto);
        accepted += Number(isGood);
      }

      expect(accepted).toBeGreaterThan(100);
    },
  );
});
