/** A job posting of the fake. */
export interface FakeJob {
  readonly id: string;
  title: string;
  description: string;
  skills: string[];
  /** Fixed price; null for hourly jobs and for open prices. */
  amount: string | null;
  hourly: [min: string, max: string] | null;
  /** Screening questions of the full posting. */
  questions: string[];
  /** Posting with only what every posting has, of a client without a history. */
  isSparse: boolean;
  publishedAt: Date;
  renewedAt: Date | null;
}

/** A proposal of the fake. */
export interface FakeProposal {
  readonly id: string;
  readonly owner: string;
  readonly jobId: string;
  /** Upwork's word: `Accepted` means sent and valid, `Hired` means won. */
  status: string;
  coverLetter: string;
  bid: string;
  readonly createdAt: Date;
  modifiedAt: Date;
}

/** A message of the fake. */
export interface FakeStory {
  readonly id: string;
  readonly author: string;
  message: string;
  readonly createdAt: Date;
  updatedAt: Date;
}

/** A conversation of the fake. */
export interface FakeRoom {
  readonly id: string;
  readonly owner: string;
  readonly proposalId: string;
  /** The newest first. */
  readonly stories: FakeStory[];
  lastReadAt: Date | null;
  /** False for a room that its user left: only lists that ask for such rooms have it. */
  isSubscribed: boolean;
  /** True for a room that its user hid, whether they left it or not: the same holds. */
  isHidden: boolean;
}

/** The user who writes as the client. */
export const CLIENT = 'client-1';

/** Every seventh posting is sparse. */
const SPARSE_EVERY = 7;

/** The data of the fake Upwork, and the actions of its clients and freelancers. */
export class FakeMarketplace {
  /** The newest first. */
  readonly jobs: FakeJob[] = [];
  readonly proposals: FakeProposal[] = [];
  readonly rooms: FakeRoom[] = [];
  /** Stories on a page at most, however many a reader asks for. */
  maxStoriesPerPage = Infinity;
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
      questions: [],
      isSparse: this.jobs.length % SPARSE_EVERY === SPARSE_EVERY - 1,
      publishedAt: new Date(),
      renewedAt: null,
      ...job,
    };
    this.jobs.unshift(published);
    return published;
  }

  /** Submits a proposal as a freelancer. */
  submit(owner: string, jobId: string, coverLetter: string, bid: string): FakeProposal {
    const now = new Date();
    const sent = { id: this.createId(), owner, jobId, coverLetter, bid, createdAt: now, modifiedAt: now };
    const proposal = { ...sent, status: 'Accepted' };
    this.proposals.unshift(proposal);
    return proposal;
  }

  /** Changes the status of a proposal. */
  setStatus(proposalId: string, status: string): void {
    Object.assign(this.getProposal(proposalId), { status, modifiedAt: new Date() });
  }

  /** Adds a message to the room of a proposal; a message of the freelancer marks the room as read. */
  writeMessage(proposalId: string, author: 'client' | 'freelancer', message: string): FakeStory {
    const { owner } = this.getProposal(proposalId);
    const room =
      this.rooms.find((candidate) => candidate.proposalId === proposalId) ?? this.openRoom(proposalId, owner);
    const now = new Date();
    const sender = author === 'client' ? CLIENT : owner;
    const story = { id: `story_${this.createId()}`, author: sender, message, createdAt: now, updatedAt: now };
    room.stories.unshift(story);
    if (author === 'freelancer') room.lastReadAt = now;
    return story;
  }

  /** Counts the messages with a text, in all rooms. */
  countMessages(text: string): number {
    return this.rooms.flatMap(({ stories }) => stories).filter(({ message }) => message === text).length;
  }

  private openRoom(proposalId: string, owner: string): FakeRoom {
    const room = {
      id: `room_${this.createId()}`,
      owner,
      proposalId,
      stories: [],
      lastReadAt: null,
      isSubscribed: true,
      isHidden: false,
    };
    this.rooms.unshift(room);
    return room;
  }

  private getProposal(proposalId: string): FakeProposal {
    const proposal = this.proposals.find(({ id }) => id === proposalId);
    if (!proposal) throw new Error(`The fake has no proposal ${proposalId}.`);
    return proposal;
  }

  private createId(): string {
    return String(this.nextId++);
  }
}
