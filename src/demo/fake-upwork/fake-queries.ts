import { buildError } from './fake-schema';
import type { FakeMarketplace, FakeJob, FakeProposal, FakeRoom, FakeStory } from './fake-marketplace';
import {
  buildJobNode,
  buildPostingNode,
  buildProposalNode,
  buildRoomNode,
  buildStoryNode,
  buildUserNode,
  getOrganizationId,
  type FakeNode,
} from './fake-nodes';
import {
  isListed,
  pageConversations,
  pageProposals,
  pageSearch,
  type FakeConnection,
  type PageRequest,
} from './fake-rules';

interface SearchArguments {
  readonly marketPlaceJobFilter?: {
    readonly searchExpression_eq?: string | null;
    readonly jobType_eq?: string | null;
    readonly pagination_eq?: PageRequest | null;
  } | null;
}

interface ProposalArguments {
  readonly filter: { readonly status_eq: string };
  readonly sortAttribute: { readonly field: string; readonly sortOrder: string };
  readonly pagination: PageRequest;
}

interface RoomArguments {
  readonly filter?: {
    readonly activeSince_eq?: string | null;
    readonly subscribed_eq?: boolean | null;
    readonly includeHidden_eq?: boolean | null;
  } | null;
  readonly pagination?: PageRequest | null;
}

interface StoryArguments {
  readonly filter?: {
    readonly roomId_eq: string;
    readonly storyFilter?: {
      readonly storyCreatedDateTime_bt?: {
        readonly rangeStart?: string | null;
        readonly rangeEnd?: string | null;
      } | null;
      readonly pagination?: PageRequest | null;
    } | null;
  } | null;
}

interface CreateStoryArguments {
  readonly input: { readonly roomId?: string | null; readonly message?: string | null };
}

/**
 * Resolvers of the queries and mutations, for one call. Each method is the field of its name; a field without one is
 * forbidden.
 */
export class FakeQueries {
  /** @param takeFault returns true when the next list must contain a node that cannot be read */
  constructor(
    private readonly marketplace: FakeMarketplace,
    private readonly caller: string,
    private readonly takeFault: () => boolean,
  ) {}

  user(): FakeNode {
    return buildUserNode(this.caller);
  }

  /** Lists a client account first: the order means nothing. */
  companySelector(): FakeNode {
    const client = { organizationId: `client-${this.caller}`, title: 'A company', organizationType: 'Business' };
    const vendor = { organizationId: getOrganizationId(this.caller), title: this.caller };
    return {
      items: [
        { ...client, organizationLegacyType: 'Client', typeTitle: 'Client' },
        { ...vendor, organizationType: 'SoleProprietor', organizationLegacyType: 'Vendor', typeTitle: 'Freelancer' },
      ],
    };
  }

  marketplaceJobPostingsSearch({ marketPlaceJobFilter: filter }: SearchArguments): FakeConnection {
    const words = (filter?.searchExpression_eq ?? '').toLowerCase().split(/\s+(?:and\s+)?/);
    const type = filter?.jobType_eq;
    const found = this.marketplace.jobs
      .filter((job) => words.every((word) => buildSearchText(job).includes(word)))
      .filter(({ hourly }) => !type || (type === 'HOURLY') === (hourly !== null));
    return this.addFault(pageSearch(found, filter?.pagination_eq, buildJobNode));
  }

  vendorProposals({ filter, sortAttribute, pagination }: ProposalArguments): FakeConnection {
    const sortKey = sortAttribute.field === 'MODIFIEDDATETIME' ? 'modifiedAt' : 'createdAt';
    const sign = sortAttribute.sortOrder === 'DESC' ? -1 : 1;
    const found = this.marketplace.proposals
      .filter(({ owner, status }) => owner === this.caller && isListed(filter.status_eq, status))
      .sort((one, other) => sign * (one[sortKey].getTime() - other[sortKey].getTime()));
    return this.addFault(pageProposals(found, pagination, (each) => this.buildProposal(each)));
  }

  roomList({ filter, pagination }: RoomArguments): FakeConnection {
    const since = Date.parse(filter?.activeSince_eq ?? '1970-01-01');
    const isSubscribed = filter?.subscribed_eq ?? true;
    const found = this.marketplace.rooms
      .filter((room) => room.owner === this.caller && room.isSubscribed === isSubscribed)
      .filter(({ isHidden }) => !isHidden || filter?.includeHidden_eq)
      .filter(({ stories }) => stories.some(({ updatedAt }) => updatedAt.getTime() >= since));
    return this.addFault(pageConversations(found, pagination, (each) => this.buildRoom(each)));
  }

  roomStories({ filter }: StoryArguments): FakeConnection | null {
    const room = this.marketplace.rooms.find(({ id, owner }) => id === filter?.roomId_eq && owner === this.caller);
    if (!room) return null;
    const proposal = this.buildRoomProposal(room);
    const { rangeStart, rangeEnd } = filter?.storyFilter?.storyCreatedDateTime_bt ?? {};
    const [since, until] = [Date.parse(rangeStart ?? '1970-01-01'), Date.parse(rangeEnd ?? '9999-12-31')];
    const stories = room.stories.filter(
      ({ createdAt }) => createdAt.getTime() >= since && createdAt.getTime() <= until,
    );
    const buildNode = (story: FakeStory) => buildStoryNode(story, room, proposal);
    const { first, after } = filter?.storyFilter?.pagination ?? { first: 20 };
    const page = { first: Math.min(first, this.marketplace.maxStoriesPerPage), after };
    return this.addFault(pageConversations(stories, page, buildNode));
  }

  /** Writes a message as the caller. The fake counts the stories of a text in its marketplace. */
  createRoomStoryV2({ input }: CreateStoryArguments): FakeNode {
    const room = this.marketplace.rooms.find(({ id, owner }) => id === input.roomId && owner === this.caller);
    if (!room || !input.message) throw buildError('VJCA-6 Input parameter provided has incorrect value');
    const story = this.marketplace.writeMessage(room.proposalId, 'freelancer', input.message);
    return buildStoryNode(story, room, this.buildRoomProposal(room));
  }

  marketplaceJobPosting({ id }: { readonly id: string }): FakeNode | null {
    const job = this.marketplace.jobs.find((each) => each.id === id);
    return job ? buildPostingNode(job) : null;
  }

  private buildRoom(room: FakeRoom): FakeNode {
    return buildRoomNode(room, this.buildRoomProposal(room));
  }

  private buildRoomProposal({ proposalId }: FakeRoom): FakeNode {
    return this.buildProposal(this.marketplace.proposals.find(({ id }) => id === proposalId)!);
  }

  private buildProposal(proposal: FakeProposal): FakeNode {
    return buildProposalNode(
      proposal,
      this.marketplace.jobs.find(({ id }) => id === proposal.jobId),
    );
  }

  /** Adds a node that cannot be read: the answer then has data and an error. */
  private addFault(page: FakeConnection): FakeConnection {
    if (!page.edges || !this.takeFault()) return page;
    const node = buildError('Exception while fetching data : null', 'NullValueInNonNullableField');
    return { ...page, edges: [...page.edges, { cursor: '', node }] };
  }
}

function buildSearchText({ title, description, skills }: FakeJob): string {
  return `${title} ${description} ${skills.join(' ')}`.toLowerCase();
}
