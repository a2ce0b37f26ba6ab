import { Injectable } from '@nestjs/common';
import { type JobDetails, type JobDetailsDto, JobQuestionsDto } from '../jobs/job-details.dto';
import { Job } from '../jobs/job.entity';
import { UpworkJobsService } from '../jobs/upwork-jobs.service';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { currentUserId } from '../platform/http/access/access';
import { truncateToCodePoints } from '../platform/http/validation/fields';
import { RedisClients } from '../platform/redis/redis-clients';
import { TokenRefreshService } from '../tokens/token-refresh.service';
import { JOB_DETAILS, type UpworkPosting } from '../upwork/documents/job-details.documents';
import { UpworkClientService } from '../upwork/upwork-client.service';
import { UpworkError, type UpworkErrorKind } from '../upwork/upwork.error';
import { readPrice, readRates } from './job-facts';

const MAX_PER_MINUTE = 10;
const MAX_QUESTIONS = 50;

interface Connection {
  readonly id: number;
  readonly organizationId: string | null;
}

const LIST_CONNECTIONS = `
  SELECT id, organization_id AS "organizationId" FROM user_tokens WHERE status <> 'reconnect_needed' ORDER BY id`;

/** Reads the full posting of a job from Upwork when its user asks for it. */
@Injectable()
export class JobDetailsService {
  constructor(
    private readonly database: Database,
    private readonly redis: RedisClients,
    private readonly tokenRefresh: TokenRefreshService,
    private readonly upwork: UpworkClientService,
    private readonly jobs: UpworkJobsService,
  ) {}

  /** Returns the stored screening questions of a job. @throws AppError `job.not_found` */
  async listQuestions(id: number): Promise<JobQuestionsDto> {
    return JobQuestionsDto.from(await this.findJob(id));
  }

  /**
   * Reads the posting and stores its text, kind of pay and details. A job whose content had expired is restored.
   * Session: user; Upwork is called outside any unit of work.
   * @throws AppError `job.not_found`; `job.not_on_upwork`; `token.not_connected`; `rate.limited` beyond ten in a
   *   minute; `upwork.permission_missing`; `upwork.unavailable`
   */
  async refresh(id: number): Promise<JobDetailsDto> {
    const postingId = getPostingId(await this.findJob(id));
    await this.limitRate();
    const changes = toJobChanges(await this.read(postingId));
    await this.jobs.storePosting(id, changes);
    return changes.details;
  }

  private async findJob(id: number): Promise<Job> {
    const job = await this.database.find(Job, id);
    if (!job) throw new AppError('job.not_found');
    return job;
  }

  /** Counts the user's requests of the minute. */
  private async limitRate(): Promise<void> {
    const key = `job-details:${currentUserId()}`;
    // EXPIRE with NX needs Redis 7.
    const results = await this.redis.commands.multi().set(key, 0, 'EX', 60, 'NX').incr(key).ttl(key).exec();
    const [, count = 0, seconds = 60] = (results ?? []).map(([, value]) => Number(value));
    if (count <= MAX_PER_MINUTE) return;
    throw new AppError('rate.limited', {
      detail: `Jobs can be refreshed ${MAX_PER_MINUTE} times in a minute. Try again in ${seconds} s.`,
      headers: { 'retry-after': String(Math.max(1, seconds)) },
    });
  }

  /** Asks one connection after the other until one can see the posting. */
  private async read(postingId: string): Promise<UpworkPosting> {
    const connections = await this.database.query<Connection>(LIST_CONNECTIONS);
    if (connections.length === 0) throw new AppError('token.not_connected');
    const failures: unknown[] = [];
    for (const connection of connections) {
      const posting = await this.readThrough(connection, postingId).catch((error: unknown) => {
        if (!isOfOneConnection(error)) throw toAppError(error);
        failures.push(error);
      });
      if (posting) return posting;
    }
    if (failures.length > 0) throw toAppError(failures[0]);
    throw new AppError('job.not_on_upwork', { detail: 'Upwork shows no such job to your connections.' });
  }

  private async readThrough({ id, organizationId }: Connection, postingId: string) {
    const userId = currentUserId();
    const { data } = await this.tokenRefresh.runWithAccessToken(id, (accessToken) =>
      this.upwork.call(JOB_DETAILS, { id: postingId }, { userId, accessToken, organizationId }),
    );
    return data.marketplaceJobPosting;
  }
}

/** Returns the number of a posting, which most ciphertexts contain. @throws AppError `job.not_on_upwork` */
function getPostingId({ upworkJobId, upworkJobNumber }: Job): string {
  if (upworkJobNumber !== null) return upworkJobNumber;
  const [, number] = /^(?:~02)?(\d+)$/.exec(upworkJobId ?? '') ?? [];
  if (number === undefined) throw new AppError('job.not_on_upwork');
  return number;
}

/** Returns what a posting changes of its job. */
export function toJobChanges(posting: UpworkPosting): Partial<Job> & { readonly details: JobDetails } {
  return { ...toContent(posting), details: toJobDetails(posting) };
}

/**
 * Returns the fields of a job that the posting states; the others keep their values, except amounts of the other kind.
 */
function toContent({ content, contractTerms }: UpworkPosting): Partial<Job> {
  const jobType = ({ HOURLY: 'hourly', FIXED: 'fixed' } as const)[contractTerms?.contractType ?? ''];
  const { hourlyBudgetMin, hourlyBudgetMax } = contractTerms?.hourlyContractTerms ?? {};
  const budget = readPrice(contractTerms?.fixedPriceContractTerms?.amount?.rawValue);
  const title = truncateToCodePoints(content?.title.trim() ?? '', 500);
  return {
    ...(title && { title }),
    ...(content && { description: truncateToCodePoints(content.description, 50_000) }),
    ...(jobType && { jobType }),
    ...(jobType === 'hourly' && {
      ...readRates(hourlyBudgetMin, hourlyBudgetMax),
      budgetMin: null,
      budgetMax: null,
    }),
    ...(jobType === 'fixed' && { hourlyRateMin: null, hourlyRateMax: null }),
    ...(jobType === 'fixed' && budget !== null && { budgetMin: budget, budgetMax: budget }),
  };
}

function toJobDetails({ workFlowState, contractorSelection, activityStat }: UpworkPosting): JobDetails {
  const activity = activityStat?.jobActivity;
  return {
    refreshedAt: new Date().toISOString(),
    isClosed: workFlowState?.status ? workFlowState.status === 'CLOSED' : null,
    questions: listQuestions(contractorSelection?.proposalRequirement?.screeningQuestions ?? []),
    activity: {
      invited: activity?.invitesSent ?? null,
      interviewed: activity?.totalInvitedToInterview ?? null,
      offered: activity?.totalOffered ?? null,
      hired: activity?.totalHired ?? null,
      lastActiveAt: activity?.lastClientActivity?.toISOString() ?? null,
    },
  };
}

type Questions = NonNullable<
  NonNullable<NonNullable<UpworkPosting['contractorSelection']>['proposalRequirement']>['screeningQuestions']
>;

/** Lists the texts of the questions in the order of the posting. */
function listQuestions(questions: Questions): string[] {
  return questions
    .flatMap((each) => each ?? [])
    .sort((one, other) => (one.sequenceNumber ?? 0) - (other.sequenceNumber ?? 0))
    .flatMap(({ question }) => (question ? [truncateToCodePoints(question, 2_000)] : []))
    .slice(0, MAX_QUESTIONS);
}

/** Kinds of failures that another connection may not have. */
const OF_ONE_CONNECTION: ReadonlySet<UpworkErrorKind> = new Set(['refused', 'permission_missing', 'unusable']);

function isOfOneConnection(error: unknown): boolean {
  if (error instanceof AppError) return error.code.startsWith('token.');
  return error instanceof UpworkError && OF_ONE_CONNECTION.has(error.kind);
}

/** Kinds of failures that only a person can end, so a client must not try again soon. */
const LASTING: ReadonlySet<UpworkErrorKind> = new Set(['permission_missing', 'document_refused']);

function toAppError(error: unknown): unknown {
  if (!(error instanceof UpworkError)) return error;
  const seconds = Math.max(5, Math.ceil((error.retryAfterMs ?? 0) / 1_000));
  return new AppError(error.kind === 'permission_missing' ? 'upwork.permission_missing' : 'upwork.unavailable', {
    detail: error.message.replace(/\.?$/, '.'),
    ...(!LASTING.has(error.kind) && { headers: { 'retry-after': String(seconds) } }),
    cause: error,
  });
}
