import type { UpworkMessageInput } from './upwork-messages.service';
import { truncateToCodePoints } from '../platform/http/validation/fields';
import type { UpworkStory } from '../upwork/documents/conversations.documents';

const MAX_CONTENT_LENGTH = 50_000;

/** Text of a message that consists of files only. */
const ONE_FILE = '(a file)';

/**
 * Maps stories to messages. The user and the members of their organization are the freelancer, all others the client.
 * A story without text and files is an event of the room and is skipped.
 * @param organizationId the organization of the connection; the user's own stories name theirs too
 */
export function toMessageInputs(
  stories: readonly UpworkStory[],
  upworkUserId: string,
  { organizationId }: { readonly organizationId: string | null },
): UpworkMessageInput[] {
  const ownStories = stories.filter(({ user }) => user?.id === upworkUserId);
  const ownOrganizations = new Set([organizationId, ...ownStories.map(({ organization }) => organization?.id)]);
  const isOwn = ({ user, organization }: UpworkStory) =>
    user?.id === upworkUserId || (organization?.id !== undefined && ownOrganizations.has(organization.id));
  return stories.flatMap((story) => {
    const input = toMessageInput(story, isOwn(story) ? 'freelancer' : 'client');
    return input ? [{ ...input, isByUser: story.user?.id === upworkUserId }] : [];
  });
}

function toMessageInput(
  { id, message, attachments, createdDateTime }: UpworkStory,
  senderType: UpworkMessageInput['senderType'],
): Omit<UpworkMessageInput, 'isByUser'> | undefined {
  const attachmentCount = (attachments ?? []).filter((attachment) => attachment !== null).length;
  const text = normalizeLineEnds(message ?? '') || describeFiles(attachmentCount);
  if (!text) return undefined;
  const content = truncateToCodePoints(text, MAX_CONTENT_LENGTH);
  return { upworkMessageId: id, senderType, content, attachmentCount, sentAt: createdDateTime };
}

/** Writes line ends as \n: Upwork returns those of the author's browser. */
export function normalizeLineEnds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

function describeFiles(count: number): string {
  return count <= 1 ? (count === 0 ? '' : ONE_FILE) : `(${count} files)`;
}
