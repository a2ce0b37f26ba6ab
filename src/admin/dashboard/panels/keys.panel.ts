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

/** The parts of the page that are shown live, by their names. */
export function keysParts(shown: EncryptionKeyListDto): Record<'progress' | 'keys', Markup> {
  return {
    progress: html`${progressBar(shown)}${rotationFacts(shown.rotation)}${keyActions(shown)}`,
    keys: keysTable(shown),
  };
}

/** Returns the page below its title: how far the latest rotation has come, and each key with its uses. */
export function keysBody(shown: EncryptionKeyListDto): Markup {
  const { progress, keys } = keysParts(shown);
  return html`<p>
      Each user's secrets are sealed with a key of their own, which a master key wraps. Master keys are not in the
      database and are never shown.
    </p>
    <div class="card">${livePart('progress', progress)}</div>
    <h2>Master keys</h2>
    <div class="card">${livePart('keys', keys)}</div>`;
}

function keyActions({ rotation }: EncryptionKeyListDto): Markup {
  return html`<p class="actions">
    <a class="button main" href="/admin/keys/rotate">${isUnfinished(rotation) ? 'Continue' : 'Rotate'}</a>
    <a class="button quiet" href="/admin/tasks/${ROTATE_ENCRYPTION_KEYS.id}">Run history</a>
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
      : tag('warn', 'waits until every process has the key');
  return factList([
    ['Latest rotation', html`to <code>${keyId}</code> ${state}`],
    ['Asked for', timestamp(startedAt)],
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
    ...(makesKeys ? [{ head: 'Act', cell: destroyLink }] : []),
  ];
  return table('Master keys and their uses', columns, items, 'No key is configured.');
}

function keyStatus({ isCurrent, isConfigured, uses, backups }: EncryptionKeyDto): Markup {
  if (isCurrent) return tag('good', 'current');
  if (!isConfigured) return tag('bad', 'in use and missing');
  return uses === 0 && backups === 0 ? tag('calm', 'may go') : tag('warn', 'in use, not current');
}

function destroyLink({ id, isCurrent, isConfigured, uses, backups }: EncryptionKeyDto): Markup {
  return isCurrent || !isConfigured || uses > 0 || backups > 0
    ? html``
    : html`<a href="/admin/keys/${id}/retire">Destroy</a>`;
}

/** The master keys, how many data keys each wraps, and how far a rotation has come, live. */
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
