import { randomUUID } from 'node:crypto';
import { PasswordsService } from '../../../src/auth/passwords/passwords.service';
import { FakeUpwork } from '../../../src/demo/fake-upwork/fake-upwork';
import { MessageDeliveryService } from '../../../src/messages/message-delivery.service';
import { TokensService } from '../../../src/tokens/tokens.service';
import { BenchServerProcess } from '../../bench/server-process';
import { Caller } from '../../support/caller';
import { runAsUser } from '../../support/run-as-user';
import { waitFor } from '../../support/wait-for';
import { buildServers } from '../build-servers';
import { InProcessApi } from '../in-process-api';

/** What happens to the call of a round: connections that are cut, and an API that is killed with SIGKILL. */
const FAILURES = ['cut before Upwork stored it', 'cut after', 'killed before', 'killed after'] as const;
type Failure = (typeof FAILURES)[number];

/** The result; no reply may be doubled, and none may be shown otherwise than Upwork has it. */
export interface RepliesResult {
  readonly rounds: number;
  readonly kills: number;
  readonly cuts: number;
  /** Replies that Upwork has more than once. */
  readonly doubled: number;
  /** Replies without an answer that the room had. */
  readonly found: number;
  /** Replies without an answer that the room did not have. */
  readonly unknown: number;
  /** Replies that are shown as sent and are not at Upwork, or the reverse. */
  readonly wrong: number;
  /** Rounds in which the repeated request with the same key got another message. */
  readonly wrongReplays: number;
}

const PASSWORD = 'only for this scenario';

/** Cuts connections and kills the API during replies, repeats each request, and counts the stories at Upwork. */
export async function stressReplies({ rounds }: { readonly rounds: number }): Promise<RepliesResult> {
  buildServers();
  const upwork = await new FakeUpwork().start();
  Object.assign(upwork, { limitPerSecond: Infinity, partialEvery: 0 });
  const served = new InProcessApi({ ...upwork.settings, UPWORK_REQUESTS_PER_SECOND: '100' });
  const scenario = new RepliesRun(served, upwork);
  try {
    return await served.run(() => scenario.run(rounds).finally(() => scenario.stop()));
  } finally {
    await upwork.stop();
  }
}

/** Throws when a reply was doubled, or is shown otherwise than Upwork has it. */
export function assertSentOnce(result: RepliesResult): RepliesResult {
  if (result.doubled + result.wrong + result.wrongReplays > 0) throw new Error(JSON.stringify(result));
  return result;
}

class RepliesRun {
  private readonly email = `${randomUUID()}@example.org`;
  private api: BenchServerProcess | undefined;
  private accessToken = '';
  private userId = 0;
  private roomId = '';

  constructor(
    private readonly served: InProcessApi,
    private readonly upwork: FakeUpwork,
  ) {}

  async run(rounds: number): Promise<RepliesResult> {
    await this.startApi();
    await this.signUp();
    await this.openRoom();
    const counts = { rounds, kills: 0, cuts: 0, doubled: 0, found: 0, unknown: 0, wrong: 0, wrongReplays: 0 };
    for (let round = 0; round < rounds; round++) {
      const failure = FAILURES[round % FAILURES.length]!;
      counts[failure.startsWith('killed') ? 'kills' : 'cuts'] += 1;
      const { delivery, stories, isReplayed } = await this.runRound(`Reply ${round}`, failure);
      if (stories > 1) counts.doubled += 1;
      if (delivery === 'sent') counts.found += 1;
      if (delivery === 'unknown') counts.unknown += 1;
      if (delivery !== (stories === 0 ? 'unknown' : 'sent')) counts.wrong += 1;
      if (!isReplayed) counts.wrongReplays += 1;
    }
    return counts;
  }

  async stop(): Promise<void> {
    await this.api?.stop();
  }

  private async runRound(content: string, failure: Failure) {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { roomId: this.roomId, content, send: true };
    const isKill = failure.startsWith('killed');
    const answered = this.breakNextCall(failure);
    const request = this.caller.post('/v1/messages', body, headers).catch(() => undefined);
    await Promise.all([request, answered]);
    if (isKill) await this.startApi();
    const repeated = await this.caller.post('/v1/messages', body, headers);
    const id = await this.search(content);
    const { body: message } = await this.caller.get(`/v1/messages/${id}`);
    return {
      delivery: message.delivery as string,
      stories: this.upwork.marketplace.countMessages(content),
      isReplayed: repeated.status === 201 && repeated.body.id === id,
    };
  }

  /** Lets the next call fail. Resolves when the API was killed, or at once. */
  private async breakNextCall(failure: Failure): Promise<void> {
    if (failure.startsWith('cut')) {
      this.upwork.faults.schedule('graphql', failure === 'cut after' ? 'lost' : 'cut');
      return;
    }
    const callsBefore = this.upwork.calls.length;
    if (failure === 'killed before') {
      this.upwork.faults.schedule('graphql', 'hang');
      await waitFor('the call arrives', () => this.upwork.calls.length > callsBefore);
      process.kill(this.api!.pid, 'SIGKILL');
    } else {
      await this.killAfterEffect();
    }
    await waitFor('the API ends', () => this.api!.hasExited);
  }

  /** Kills the API when Upwork has stored the message and before it answers. */
  private killAfterEffect(): Promise<void> {
    return new Promise((done) => {
      this.upwork.transformResponse = (_, answer) => {
        process.kill(this.api!.pid, 'SIGKILL');
        this.upwork.transformResponse = (__, later) => later;
        done();
        return answer;
      };
    });
  }

  /** Lets the time of the search come, and searches the room as the task does. @returns the id of the message */
  private async search(content: string): Promise<number> {
    const [row] = await this.served.query<{ id: string }>(
      `UPDATE messages SET next_check_at = CASE WHEN delivery IN ('sending', 'unknown') THEN now() END
       WHERE content = $1 AND user_id = $2 RETURNING id`,
      [content, this.userId],
    );
    const id = Number(row!.id);
    await runAsUser(this.userId, () => this.served.get(MessageDeliveryService).check(id));
    return id;
  }

  private get caller(): Caller {
    return new Caller(`http://127.0.0.1:${this.api!.port}`, this.accessToken);
  }

  private async startApi(): Promise<void> {
    const environment = { ...this.served.services.buildEnvironment(), ...this.upwork.settings };
    this.api = await BenchServerProcess.start('product', { ...environment, ACCESS_TOKEN_SECONDS: '3600' });
  }

  private async signUp(): Promise<void> {
    const [user] = await this.served.query<{ id: string }>(
      `INSERT INTO users (email, encrypted_password, is_verified) VALUES ($1, $2, true) RETURNING id`,
      [this.email, await this.served.get(PasswordsService).hash(PASSWORD)],
    );
    this.userId = Number(user!.id);
    const { body } = await this.caller.post('/v1/auth/login', { email: this.email, password: PASSWORD });
    this.accessToken = body.accessToken as string;
  }

  private async openRoom(): Promise<void> {
    const { grants, marketplace } = this.upwork;
    const expiresAt = new Date(Date.now() + 86_400_000);
    const connection = { provider: 'upwork' as const, ...grants.issueTokens(this.email), expiresAt };
    const { token } = await runAsUser(this.userId, () =>
      this.served.get(TokensService).store({ ...connection, organizationId: null }),
    );
    const proposal = marketplace.submit(this.email, marketplace.publish({ title: 'A job' }).id, 'Hello', '10.00');
    marketplace.writeMessage(proposal.id, 'client', 'When can you start?');
    this.roomId = marketplace.rooms[0]!.id;
    await this.served.query(`INSERT INTO conversations (user_id, token_id, room_id) VALUES ($1, $2, $3)`, [
      ...[this.userId, token.id, this.roomId],
    ]);
  }
}
