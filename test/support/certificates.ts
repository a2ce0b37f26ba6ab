import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeOwner, findServiceUser } from '../../src/local-services/file-permissions';

/** The files of an authority and of a server's certificate. */
export interface Certificates {
  readonly folder: string;
  readonly ca: string;
  readonly certificate: string;
  /** Readable by the account of the services only. */
  readonly key: string;
  remove(): void;
}

/**
 * Creates an authority and a certificate for these names, valid for a day.
 * @param names subject alternative names, such as `DNS:localhost` or `IP:127.0.0.1`
 */
export function createCertificates(...names: string[]): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-tls-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-days',
    '1',
    '-subj',
    '/CN=Test CA',
  );
  openssl('req', ...newKey, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=server');
  writeFileSync(at('names'), `subjectAltName=${names.join(',')}\n`);
  const authority = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
  const request = ['-in', at('server.csr'), '-out', at('server.pem'), '-days', '1', '-extfile', at('names')];
  openssl('x509', '-req', ...authority, ...request);
  for (const path of [folder, at('server.key')]) changeOwner(findServiceUser(), path);
  return {
    folder,
    ca: at('ca.pem'),
    certificate: at('server.pem'),
    key: at('server.key'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
