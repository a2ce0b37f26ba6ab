/** A job posting of the fake. */
export interface FakeJob {
  readonly id: string;
  title: string;
  description: string;
  skills: string[];
  amount: string | null;
  hourly: [min: string, max: string] | null;
  publishedAt: Date;
  renewedAt: Date | null;
}

interface FakeProposal {
  readonly id: string;
  readonly owner: string;
  readonly jobId: string;
  status: string;
  coverLetter: string;
  bid: string;
  readonly createdAt: Date;
}

interface FakeStory {
  readonly id: string;
  readonly author: string;
  message: string;
  readonly createdAt: Date;
  updatedAt: Date;
}

interface FakeRoom {
  readonly id: string;
  readonly owner: string;
  readonly proposalId: string | null;
  readonly stories: FakeStory[];
  lastReadAt: Date | null;
}

interface Pagination {
  readonly after?: string | null;
  readonly first?: number;
}

const CLIENT = 'client-1';

/** The data of the fake Upwork, and the actions of its clients and freelancers. */
export class FakeMarketplace {
  readonly jobs: FakeJob[] = [];
  readonly proposals: FakeProposal[] = [];
  readonly rooms: FakeRoom[] = [];
  /** Starts at the clock, so that ids differ from those of an earlier fake. */
  private nextId = Date.now() * 1_000;

  /** Publishes a job as a client. */
  publish(job: Partial<Omit<FakeJob, 'id'>> & { title: string }): FakeJob {
    const published = {
      id: this.createId(),
      description: '',
      skills: [],
      amount: null,
      hourly: null,
      publishedAt: new Date(),
      renewedAt: null,
      ...job,
    };
    this.jobs.unshift(published);
    return published;
  }

  /** Submits a proposal as a freelancer. */
  submit(owner: string, jobId: string, coverLetter: string, bid: string): FakeProposal {
    const proposal = { id: this.createId(), owner, jobId, status: 'Pending', coverLetter, bid, createdAt: new Date() };
    this.proposals.unshift(proposal);
    return proposal;
  }

  /** Changes the status of a proposal. */
  setStatus(proposalId: string, status: string): void {
    this.proposals.find(({ id }) => id === proposalId)!.status = status;
  }

  /** Adds a message to the room of a proposal; a message of the freelancer marks the room as read. */
  writeMessage(proposalId: string, author: 'client' | 'freelancer', message: string): FakeStory {
    const proposal = this.proposals.find(({ id }) => id === proposalId)!;
    let room = this.rooms.find((candidate) => candidate.proposalId === proposalId);
    if (!room)
      this.rooms.unshift(
        (room = { id: `room_${this.createId()}`, owner: proposal.owner, proposalId, stories: [], lastReadAt: null }),
      );
    const now = new Date();
    const story = {
      id: `story_${this.createId()}`,
      author: author === 'client' ? CLIENT : proposal.owner,
      message,
      createdAt: now,
      updatedAt: now,
    };
    room.stories.unshift(story);
    if (author === 'freelancer') room.lastReadAt = now;
    return story;
  }

  /** Returns the `data` of an operation. @throws Error for an unknown operation */
  respond(operation: string, user: string, variables: Record<string, unknown>): Record<string, unknown> {
    const filter = (variables['filter'] ?? {}) as Record<string, unknown>;
    const pagination = (variables['pagination'] ?? filter['pagination_eq'] ?? {}) as Pagination;
    switch (operation) {
      case 'CompanySelector':
        return { companySelector: { items: [{ organizationId: `org-${user}`, title: user }] } };
      case 'CurrentUser':
        return { user: { id: user } };
      case 'SearchJobs':
        return { marketplaceJobPostingsSearch: page(this.search(filter).map(jobNode), pagination) };
      case 'VendorProposals':
        return {
          vendorProposals: page(
            this.proposals.filter(({ owner }) => owner === user).map((p) => this.proposalNode(p)),
            pagination,
          ),
        };
      case 'Rooms':
        return { roomList: page(this.activeRooms(user, filter).map(roomNode), pagination) };
      case 'RoomStories': {
        const room = this.rooms.find(({ id, owner }) => id === filter['roomId_eq'] && owner === user);
        return { roomStories: page((room?.stories ?? []).map(storyNode), pagination) };
      }
      default:
        throw new Error(`The fake does not support ${operation}.`);
    }
  }

  /** Finds the jobs that contain every word. */
  private search(filter: Record<string, unknown>): FakeJob[] {
    const words = toText(filter['searchExpression_eq'])
      .toLowerCase()
      .split(/\s+(?:and\s+)?/);
    const buildText = (job: FakeJob): string => `${job.title} ${job.description} ${job.skills.join(' ')}`.toLowerCase();
    return this.jobs
      .filter((job) => words.every((word) => buildText(job).includes(word)))
      .filter(
        ({ hourly }) => filter['jobType_eq'] === undefined || (filter['jobType_eq'] === 'HOURLY') === (hourly !== null),
      );
  }

  private activeRooms(user: string, filter: Record<string, unknown>): FakeRoom[] {
    const since = Date.parse(toText(filter['activeSince_eq']) || '1970-01-01');
    return this.rooms.filter(
      ({ owner, stories }) => owner === user && stories.some(({ updatedAt }) => updatedAt.getTime() >= since),
    );
  }

  private proposalNode({ id, jobId, status, coverLetter, bid, createdAt }: FakeProposal): Record<string, unknown> {
    return {
      id,
      marketplaceJobPosting: {
        id: jobId,
        content: { title: this.jobs.find((job) => job.id === jobId)?.title ?? 'A private job' },
      },
      terms: { chargeRate: { rawValue: bid, currency: 'USD' } },
      proposalCoverLetter: coverLetter,
      auditDetails: { createdDateTime: createdAt.toISOString() },
      status: { status },
    };
  }

  private createId(): string {
    return String(this.nextId++);
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function jobNode({
  id,
  title,
  description,
  skills,
  amount,
  hourly,
  publishedAt,
  renewedAt,
}: FakeJob): Record<string, unknown> {
  const money = (rawValue: string | undefined) => (rawValue === undefined ? null : { rawValue, currency: 'USD' });
  return {
    id,
    ciphertext: `~02${id}`,
    title,
    description,
    amount: money(amount ?? '0'),
    hourlyBudgetMin: money(hourly?.[0]),
    hourlyBudgetMax: money(hourly?.[1]),
    durationLabel: '1 to 3 months',
    engagement: 'Less than 30 hrs/week',
    experienceLevel: 'EXPERT',
    category: 'Web, Mobile & Software Dev',
    subcategory: 'Web Development',
    skills: skills.map((name) => ({ name: name.toLowerCase(), prettyName: name })),
    client: {
      totalHires: 12,
      totalPostedJobs: 30,
      totalReviews: 9,
      totalFeedback: 4.9,
      verificationStatus: 'VERIFIED',
      location: { country: 'Germany' },
    },
    publishedDateTime: publishedAt.toISOString(),
    renewedDateTime: renewedAt?.toISOString() ?? null,
  };
}

function roomNode({ id, lastReadAt, proposalId }: FakeRoom): Record<string, unknown> {
  return {
    id,
    lastReadDateTime: lastReadAt?.toISOString() ?? null,
    vendorProposal: proposalId === null ? null : { id: proposalId },
  };
}

function storyNode({ id, author, message, createdAt, updatedAt }: FakeStory): Record<string, unknown> {
  return {
    id,
    createdDateTime: createdAt.toISOString(),
    updatedDateTime: updatedAt.toISOString(),
    message,
    user: { id: author },
  };
}

function page(nodes: readonly unknown[], { after, first = 20 }: Pagination): Record<string, unknown> {
  const from = Number(after ?? 0);
  const edges = nodes.slice(from, from + first).map((node, i) => ({ cursor: String(from + i + 1), node }));
  return {
    totalCount: nodes.length,
    edges,
    pageInfo: { hasNextPage: from + first < nodes.length, endCursor: String(from + edges.length) },
  };
}
