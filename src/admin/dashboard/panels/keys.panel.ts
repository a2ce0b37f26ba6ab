import { Injectable } from '@nestjs/common';
import { EncryptionKeysService } from '../../encryption-keys.service';
import type { Markup } from '../html';
import { keysBody } from '../pages/keys-page';
import type { Panel } from '../panel';

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
