import { Injectable } from '@nestjs/common';
import { ROTATE_ENCRYPTION_KEYS } from '../../../platform/encryption/rotate-encryption-keys.task';
import { EncryptionKeysService } from '../../encryption-keys.service';
import { html, type Markup } from '../html';
import type { Panel } from '../panel';
import { table, tag } from '../widgets';

/** The master keys, how many data keys each wraps, and how far a rotation has come. */
@Injectable()
export class KeysPanel implements Panel {
  readonly path = '/keys';
  readonly title = 'Keys';
  readonly section = '/admin/keys';

  constructor(private readonly keys: EncryptionKeysService) {}

  async render(): Promise<Markup> {
    const keys = await this.keys.list();
    const uses = keys.reduce((sum, key) => sum + key.uses, 0);
    const done = keys.filter(({ isCurrent }) => isCurrent).reduce((sum, key) => sum + key.uses, 0);
    return html`<p>Each user's secrets are sealed with a key of his own, which a master key wraps. Master keys are not in the database; what they are is never shown.</p>
      <div class="card">
        <p><b>${done} of ${uses}</b> data keys are wrapped with the current master key.</p>
        <progress max="${Math.max(uses, 1)}" value="${uses === 0 ? 1 : done}">${done} of ${uses}</progress>
        <p class="acts"><a class="button main" href="/admin/keys/rotate">Rotate</a> <a class="button quiet" href="/admin/tasks/${ROTATE_ENCRYPTION_KEYS.id}">Its runs</a></p>
      </div>
      <h2>Master keys</h2>
      <div class="card">
        ${table(
          'Master keys and their uses',
          [
            { head: 'Key', cell: ({ id }) => html`<code>${id}</code>` },
            { head: 'Standing', cell: ({ isCurrent, isConfigured, uses: used, backups }) => (isCurrent ? tag('good', 'current') : !isConfigured ? tag('bad', 'in use and missing') : used === 0 && backups === 0 ? tag('calm', 'may go') : tag('warn', 'old, in use')) },
            { head: 'Data keys', cell: ({ uses: used }) => used, isNumber: true },
            { head: 'Backups', cell: ({ backups }) => backups, isNumber: true },
          ],
          keys,
          'No key is configured.',
        )}
      </div>`;
  }
}
