import { ROTATE_ENCRYPTION_KEYS } from '../../../platform/encryption/rotate-encryption-keys.task';
import {
  type EncryptionKeyDto,
  type EncryptionKeyListDto,
  type KeyRotationDto,
} from '../../api/encryption-keys/encryption-keys.dto';
import { type Column, FactList, LivePart, Table, Tag, Timestamp, type Panel } from '../components/page';
import { Injectable } from '@nestjs/common';
import type { VNode } from 'preact';
import { EncryptionKeysService } from '../../api/encryption-keys/encryption-keys.service';

/** Returns the live parts of the page, by name. */
export function keysParts(list: EncryptionKeyListDto): Record<'progress' | 'keys', VNode> {
  return {
    progress: (
      <>
        <Progress keys={list.items} />
        {list.rotation && <RotationFacts {...list.rotation} />}
        <KeyActions rotation={list.rotation} />
      </>
    ),
    keys: <KeysTable {...list} />,
  };
}

function Progress({ keys }: { keys: readonly EncryptionKeyDto[] }): VNode {
  const uses = keys.reduce((sum, key) => sum + key.uses, 0);
  const done = keys.filter(({ isCurrent }) => isCurrent).reduce((sum, key) => sum + key.uses, 0);
  const share = `${done} of ${uses}`;
  return (
    <>
      <p>
        <b>{share}</b> data keys are wrapped with the current master key.
      </p>
      <progress max={Math.max(uses, 1)} value={uses === 0 ? 1 : done}>
        {share}
      </progress>
    </>
  );
}

function RotationFacts(rotation: KeyRotationDto): VNode {
  const { keyId, startedAt, promotedAt, finishedAt } = rotation;
  const latest = (
    <>
      to <code>{keyId}</code> <RotationState {...rotation} />
    </>
  );
  return (
    <FactList
      facts={[
        ['Latest rotation', latest],
        ['Requested', <Timestamp at={startedAt} />],
        ['In use since', <Timestamp at={promotedAt} />],
        ['Finished', <Timestamp at={finishedAt} />],
      ]}
    />
  );
}

function RotationState({ promotedAt, finishedAt, rewrapped, total }: KeyRotationDto): VNode {
  if (finishedAt) return <Tag tone="good" text="finished" />;
  if (promotedAt) return <Tag tone="warn" text={`${rewrapped} of ${total} wrapped`} />;
  return <Tag tone="warn" text="waiting until every process has the key" />;
}

function isUnfinished(rotation: KeyRotationDto | null): boolean {
  return rotation !== null && rotation.finishedAt === null;
}

function KeyActions({ rotation }: Pick<EncryptionKeyListDto, 'rotation'>): VNode {
  return (
    <p class="actions">
      <a class="button main" href="/admin/keys/rotate">
        {isUnfinished(rotation) ? 'Continue' : 'Rotate'}
      </a>{' '}
      <a class="button subtle" href={`/admin/tasks/${ROTATE_ENCRYPTION_KEYS.id}`}>
        Run history
      </a>
    </p>
  );
}

const COLUMNS: readonly Column<EncryptionKeyDto>[] = [
  { head: 'Key', cell: ({ id }) => <code>{id}</code> },
  { head: 'Status', cell: (key) => <KeyStatus {...key} /> },
  { head: 'Data keys', cell: ({ uses }) => uses, isNumber: true },
  { head: 'Backups', cell: ({ backups }) => backups, isNumber: true },
];

function KeysTable({ items, makesKeys, rotation }: EncryptionKeyListDto): VNode {
  const columns = makesKeys && !isUnfinished(rotation) ? [...COLUMNS, { head: 'Action', cell: destroyLink }] : COLUMNS;
  return <Table caption="Master keys and their uses" columns={columns} rows={items} empty="No key is configured." />;
}

function KeyStatus({ isCurrent, isConfigured, uses, backups }: EncryptionKeyDto): VNode {
  if (isCurrent) return <Tag tone="good" text="current" />;
  if (!isConfigured) return <Tag tone="bad" text="in use but missing" />;
  if (uses === 0 && backups === 0) return <Tag tone="neutral" text="unused" />;
  return <Tag tone="warn" text="in use, not current" />;
}

function destroyLink({ id, isCurrent, isConfigured, uses, backups }: EncryptionKeyDto): VNode | null {
  if (isCurrent || !isConfigured || uses > 0 || backups > 0) return null;
  return <a href={`/admin/keys/${id}/retire`}>Destroy</a>;
}

/** The master keys with their uses, and the progress of a rotation, live. */
@Injectable()
export class KeysPanel implements Panel {
  readonly path = '/keys';
  readonly title = 'Encryption keys';
  readonly section = '/admin/keys';
  readonly live = 'keys';

  constructor(private readonly keys: EncryptionKeysService) {}

  async render(): Promise<VNode> {
    const { progress, keys } = keysParts(await this.keys.list());
    return (
      <>
        <p>
          Each user has a data key for their secrets, and a master key wraps each data key. Master keys are not in the
          database and are never shown. Backups cannot be read without them: keep copies elsewhere, or keep the key
          management service that has them.
        </p>
        <div class="card">
          <LivePart name="progress">{progress}</LivePart>
        </div>
        <h2>Master keys</h2>
        <div class="card">
          <LivePart name="keys">{keys}</LivePart>
        </div>
      </>
    );
  }
}
