import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import type { CreateGenerationDto } from './generations.dto';
import type { PromptJob, PromptMessage, PromptParts, PromptProfile } from '../prompt/build-prompt';

const JOB = `
  SELECT title, description, skills, coalesce(details -> 'questions', '[]') AS questions FROM jobs WHERE id = $1`;

const PROFILE = `
  SELECT headline, overview, skills, hourly_rate AS "hourlyRate", currency, experience_years AS "experienceYears",
    past_wins AS "pastWins"
  FROM profiles`;

const TEMPLATE = 'SELECT id, body FROM templates WHERE id = $1';

const NEWEST_TEMPLATE =
  'SELECT id, body FROM templates WHERE generation_type = $1 ORDER BY created_at DESC, id DESC LIMIT 1';

const MESSAGES = `
  SELECT sender_type AS "senderType", content FROM (
    SELECT id, sender_type, content, created_at FROM messages
    WHERE job_id = $1 ORDER BY created_at DESC, id DESC LIMIT 10
  ) newest ORDER BY created_at, id`;

const EMPTY_PROFILE: PromptProfile = {
  headline: null,
  overview: null,
  skills: [],
  hourlyRate: null,
  currency: 'USD',
  experienceYears: null,
  pastWins: [],
};

interface TemplateRow {
  readonly id: number;
  readonly body: string;
}

/** Loads the sources of a draft. */
@Injectable()
export class GenerationSourcesService {
  constructor(private readonly database: Database) {}

  /**
   * Reads the job, the profile, the template and, for a message, the conversation. One unit of work, which ends before
   * a provider is called.
   * @throws AppError `reference.not_found` (/jobId, /templateId)
   */
  async load({ type, jobId, templateId, instructions }: CreateGenerationDto): Promise<PromptParts> {
    return this.database.transaction(async (unit) => {
      const [profiles, templates, jobs, messages] = await Promise.all([
        unit.query<{ headline: string } & PromptProfile>(PROFILE),
        templateId ? unit.query<TemplateRow>(TEMPLATE, [templateId]) : unit.query<TemplateRow>(NEWEST_TEMPLATE, [type]),
        jobId ? unit.query<{ title: string } & PromptJob>(JOB, [jobId]) : [],
        jobId && type === 'message' ? unit.query<{ content: string } & PromptMessage>(MESSAGES, [jobId]) : [],
      ]);
      if (jobId && jobs.length === 0) throw buildMissingReferenceError('/jobId', 'You have no job with this id.');
      if (templateId && templates.length === 0)
        throw buildMissingReferenceError('/templateId', 'You have no template with this id.');
      return {
        type,
        instructions: instructions ?? null,
        templateId: templates[0]?.id ?? null,
        template: templates[0]?.body ?? null,
        profile: profiles[0] ?? EMPTY_PROFILE,
        job: jobs[0] ?? null,
        messages,
      };
    });
  }
}

function buildMissingReferenceError(pointer: string, message: string): AppError {
  return new AppError('reference.not_found', { detail: message, errors: [{ pointer, code: 'not_found', message }] });
}
