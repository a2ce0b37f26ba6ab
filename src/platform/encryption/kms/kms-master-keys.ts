import type { Config } from '../../config/config';
import type { RemoteKey } from '../../config/encryption-settings';
import type { CheckResult } from '../../health/health.service';
import { EncryptionError } from '../ciphertext';
import { buildAssociatedData, LocalMasterKeys, type MasterKeys } from '../master-keys';
import { AwsKms } from './aws-kms';
import { KeyMonitor } from './key-monitor';
import type { KeyService } from './key-service';
import { VaultTransit } from './vault-transit';

const VERSION = 'w2';

/** A data key wrapped by a service; the ciphertext is base64url. */
const WRAPPED = /^w2\.[\w-]{1,32}\.[\w-]+$/;

interface MonitoredKey extends RemoteKey {
  readonly kms: KeyService;
  readonly monitor: KeyMonitor;
}

/** Creates the master keys of the settings. */
export function createMasterKeys({ encryption }: Pick<Config, 'encryption'>): MasterKeys {
  return encryption.remoteKeys.length > 0 ? new KmsMasterKeys(encryption) : new LocalMasterKeys({ encryption });
}

/**
 * Master keys in a key management service, named in ENCRYPTION_KEYS, beside those whose bytes are there. A data key
 * wrapped by a service is `w2.<master key id>.<ciphertext of the service>`.
 */
export class KmsMasterKeys extends LocalMasterKeys {
  private readonly remote: ReadonlyMap<string, MonitoredKey>;

  constructor(private readonly encryption: Config['encryption']) {
    super({ encryption });
    const { remoteKeys, vault, awsKms } = encryption;
    const services = { vault: vault && new VaultTransit(vault), aws: awsKms && new AwsKms(awsKms) };
    const build = (key: RemoteKey) => ({ ...key, kms: services[key.service]!, monitor: new KeyMonitor(key.id) });
    this.remote = new Map(remoteKeys.map((key) => [key.id, build(key)]));
  }

  override get currentId(): string {
    return this.encryption.ids[0]!;
  }

  override get ids(): readonly string[] {
    return this.encryption.ids;
  }

  override async wrap(dataKey: Buffer, associated: Buffer): Promise<string> {
    const key = this.remote.get(this.currentId);
    return key ? wrapRemotely(key, dataKey, associated) : super.wrap(dataKey, associated);
  }

  override async unwrap(wrapped: string, associated: Buffer): Promise<Buffer> {
    const [version, keyId = '', text = ''] = wrapped.split('.');
    if (version !== VERSION) return super.unwrap(wrapped, associated);
    const ciphertext = Buffer.from(text, 'base64url');
    // Only the canonical text is accepted.
    if (!WRAPPED.test(wrapped) || ciphertext.toString('base64url') !== text)
      throw new EncryptionError('not a sealed value of a known version');
    const key = this.remote.get(keyId);
    if (!key) throw new EncryptionError(`there is no master key ${JSON.stringify(keyId)}, which a data key needs`);
    return key.monitor.run(() =>
      key.kms.decrypt(key.name, ciphertext.toString('utf8'), buildAssociatedData(VERSION, keyId, associated)),
    );
  }

  /** Returns the state for readiness. Probes the current key in the background when it was not used for a while. */
  check(): Promise<CheckResult> {
    const current = this.remote.get(this.currentId);
    if (current?.monitor.isOutdated) void probe(current).catch(() => undefined);
    const faults = [...this.remote.values()].flatMap(({ id, monitor: { fault } }) =>
      fault ? [`master key ${id}, since ${fault.since.toISOString()}: ${fault.reason}`] : [],
    );
    if (faults.length === 0) return Promise.resolve({ status: 'ok' });
    return Promise.resolve({ status: 'warning', detail: faults.join('; ') });
  }
}

function wrapRemotely({ id, name, kms, monitor }: MonitoredKey, dataKey: Buffer, associated: Buffer): Promise<string> {
  return monitor.run(async () => {
    const ciphertext = await kms.encrypt(name, dataKey, buildAssociatedData(VERSION, id, associated));
    return `${VERSION}.${id}.${Buffer.from(ciphertext).toString('base64url')}`;
  });
}

/** Encrypts zeros. @throws Error when the key cannot be used */
async function probe(key: MonitoredKey): Promise<void> {
  await wrapRemotely(key, Buffer.alloc(32), Buffer.from('probe'));
}
