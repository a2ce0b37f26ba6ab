import { ROTATE_ENCRYPTION_KEYS } from '../../../platform/encryption/rotate-encryption-keys.task';
import {
  type EncryptionKeyDto,
  type EncryptionKeyListDto,
  type KeyRotationDto,
} from '../../api/encryption-keys/encryption-keys.dto';
import { factList, html, livePart, type Markup, table, tag, timestamp } from '../components/html';
import { Injectable } from '@nestjs/common';
import { EncryptionKeysService } from '../../api/encryption-keys/encryption-keys.service';
import type { Panel } from '../components/page';

/** Renders the live parts of the page, by name. */
export function keysParts(list: EncryptionKeyListDto): Record<'progress' | 'keys', Markup> {
  return {
    progress: html`${progressBar(list)}${rotationFacts(list.rotation)}${keyActions(list)}`,
    keys: keysTable(list),
  };
}

/** Renders the content below the title: the progress of the latest rotation, and the keys with their uses. */
export function keysBody(list: EncryptionKeyListDto): Markup {
  const { progress, keys } = keysParts(list);
  return html`<p>
      Each user has a data key for their secrets, and a master key wraps each data key. Master keys are not in the
      database and are never shown.
    </p>
    <div class="card">${livePart('progress', progress)}</div>
    <h2>Master keys</h2>
    <div class="card">${livePart('keys', keys)}</div>`;
}

function keyActions({ rotation }: EncryptionKeyListDto): Markup {
  return html`<p class="actions">
    <a class="button main" href="/admin/keys/rotate">${isUnfinished(rotation) ? 'Continue' : 'Rotate'}</a>
    <a class="button subtle" href="/admin/tasks/${ROTATE_ENCRYPTION_KEYS.id}">Run history</a>
  </p>`;
}

function isUnfinished(rotation: KeyRotationDto | null): boolean {
  return rotation !== null && rotation.finishedAt === null;
}

function progressBar({ items }: EncryptionKeyListDto): Markup {
  const uses = items.reduce((sum, key) => sum + key.uses, 0);
  const done = items.filter(({ isCurrent }) => isCurrent).reduce((sum, key) => sum + key.uses, 0);
  return html`<p><b>${done} of ${uses}</b> data keys are wrapped with the current master key.</p>
    <progress max="${Math.max(uses, 1)}" value="${uses === 0 ? 1 : done}">${done} of ${uses}</progress>`;
}

function rotationFacts(rotation: KeyRotationDto | null): Markup | null {
  if (!rotation) return null;
  const { keyId, startedAt, promotedAt, finishedAt, rewrapped, total } = rotation;
  const state = finishedAt
    ? tag('good', 'finished')
    : promotedAt
      ? tag('warn', `${rewrapped} of ${total} wrapped`)
      : tag('warn', 'waiting until every process has the key');
  return factList([
    ['Latest rotation', html`to <code>${keyId}</code> ${state}`],
    ['Requested', timestamp(startedAt)],
    ['In use since', timestamp(promotedAt)],
    ['Finished', timestamp(finishedAt)],
  ]);
}

function keysTable({ items, makesKeys }: EncryptionKeyListDto): Markup {
  const columns = [
    { head: 'Key', cell: ({ id }: EncryptionKeyDto) => html`<code>${id}</code>` },
    { head: 'Status', cell: keyStatus },
    { head: 'Data keys', cell: ({ uses }: EncryptionKeyDto) => uses, isNumber: true },
    { head: 'Backups', cell: ({ backups }: EncryptionKeyDto) => backups, isNumber: true },
    ...(makesKeys ? [{ head: 'Action', cell: destroyLink }] : []),
  ];
  return table('Master keys and their uses', columns, items, 'No key is configured.');
}

function keyStatus({ isCurrent, isConfigured, uses, backups }: EncryptionKeyDto): Markup {
  if (isCurrent) return tag('good', 'current');
  if (!isConfigured) return tag('bad', 'in use but missing');
  return uses === 0 && backups === 0 ? tag('neutral', 'unused') : tag('warn', 'in use, not current');
}

function destroyLink({ id, isCurrent, isConfigured, uses, backups }: EncryptionKeyDto): Markup {
  return isCurrent || !isConfigured || uses > 0 || backups > 0
    ? html``
    : html`<a href="/admin/keys/${id}/retire">Destroy</a>`;
}

/** The master keys with their uses, and the progress of a rotation, live. */
@Injectable()
export class KeysPanel implements Panel {
  readonly path = '/keys';
  readonly title = 'Keys';
  readonly section = '/admin/keys';
  readonly live = 'keys';

  constructor(private readonly keys: EncryptionKeysService) {}

  async render(): Promise<Markup> {
    return keysBody(await this.keys.list());
  }
}
