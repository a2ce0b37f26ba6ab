import { Injectable } from '@nestjs/common';
import { CURRENT_USER } from './documents/account.documents';
import { ROOM_STORIES, ROOMS, SEND_MESSAGE } from './documents/conversations.documents';
import { JOB_DETAILS } from './documents/job-details.documents';
import { SEARCH_JOBS } from './documents/jobs.documents';
import { PROPOSAL_LISTS, VENDOR_PROPOSALS } from './documents/proposals.documents';
import { type UpworkCaller, UpworkClientService } from './upwork-client.service';
import { getTypeName, listUsedParts, readSchemaParts } from './schema/upwork-schema';
import { UpworkError } from './upwork.error';

/** What a connection can do at Upwork, if the API key has the permissions. */
export const CAPABILITIES = ['jobs', 'proposals', 'messages', 'replies', 'details'] as const;
/** One of CAPABILITIES. */
export type Capability = (typeof CAPABILITIES)[number];

/** Parts of Upwork's schema that the API key cannot see, by capability. */
export type MissingParts = Readonly<Record<Capability, readonly string[]>>;

/** The documents of each capability. */
const DOCUMENTS: Readonly<Record<Capability, readonly { readonly text: string }[]>> = {
  jobs: [SEARCH_JOBS],
  proposals: [CURRENT_USER, VENDOR_PROPOSALS],
  messages: [CURRENT_USER, ROOMS, ROOM_STORIES],
  replies: [CURRENT_USER, SEND_MESSAGE],
  details: [JOB_DETAILS],
};

/** The parts that the variables of the documents name. Optional filters of saved searches are left out. */
const VARIABLES: Readonly<Record<Capability, readonly string[]>> = {
  jobs: ['searchExpression_eq', 'pagination_eq'].map((name) => `MarketplaceJobPostingsSearchFilter.${name}`),
  proposals: [
    ...PROPOSAL_LISTS.map((list) => `VendorProposalStatusFilterInput.${list}`),
    ...['Pagination.first', 'Pagination.after'],
  ],
  messages: [
    ...['RoomFilter.activeSince_eq', 'RoomFilter.subscribed_eq', 'RoomFilter.includeHidden_eq'],
    ...['RoomStoryFilter.roomId_eq', 'RoomStoryFilter.storyFilter', 'StoryFilter.pagination'],
  ],
  replies: ['RoomStoryCreateInputV2.roomId', 'RoomStoryCreateInputV2.message'],
  details: [],
};

/** Reads by introspection what an API key can see of Upwork's schema. */
@Injectable()
export class CapabilitiesService {
  constructor(private readonly upwork: UpworkClientService) {}

  /**
   * Returns what the API key of the caller lacks. Makes a few calls; must not be called inside a unit of work.
   * @throws UpworkError when introspection is refused or answered in part
   */
  async findMissing(caller: UpworkCaller): Promise<MissingParts> {
    const used = listCapabilityParts();
    const typeNames = [...new Set(Object.values(used).flat().map(getTypeName))];
    const visible = await readSchemaParts(typeNames, async (document) => {
      const { data, isPartial } = await this.upwork.call(document, {}, caller);
      if (isPartial) throw new UpworkError('unusable', "Upwork answered in part what the API key's permissions are");
      return data;
    });
    const missing = CAPABILITIES.map((name) => [name, used[name].filter((part) => !visible.has(part))] as const);
    return Object.fromEntries(missing) as Record<Capability, string[]>;
  }
}

/** Lists the parts of the schema that each capability needs. */
export function listCapabilityParts(): Record<Capability, string[]> {
  const parts = CAPABILITIES.map((name) => {
    const used = DOCUMENTS[name].flatMap(({ text }) => listUsedParts(text));
    return [name, [...new Set([...used, ...VARIABLES[name]])]] as const;
  });
  return Object.fromEntries(parts) as Record<Capability, string[]>;
}
