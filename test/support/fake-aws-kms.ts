import type { IncomingMessage } from 'node:http';
import {
  decryptWith,
  encryptWith,
  type FakeKey,
  FakeKeyService,
  type FakeResponse,
  parseBase64,
  parseObject,
} from './fake-key-service';
import { findSignatureFault, type SignatureFault } from './signature-v4';

const LOGIN = { accessKey: 'AKIAOFTHETEST', secretKey: 'a-secret-of-the-test', region: 'eu-test-1', service: 'kms' };

const ARN = 'arn:aws:kms:eu-test-1:111122223333:key/';

/** Limit of an encryption context, in characters of JSON. */
const MAX_CONTEXT = 8_192;

/** Difference of the clocks above which AWS rejects a signature. */
const MAX_SKEW_MS = 5 * 60_000;

type Fields = Record<string, unknown>;

/**
 * AWS KMS: Encrypt and Decrypt over JSON 1.1 with checked signatures (version 4), encryption contexts and key material
 * that rotates behind one key id.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
 */
export class FakeAwsKms extends FakeKeyService {
  protected readonly throttledResponse = failure('ThrottlingException', 'Rate exceeded');
  protected readonly failingResponse = { ...failure('KMSInternalException', ''), status: 500 };

  override get settings(): Record<string, string> {
    const { region, accessKey, secretKey } = LOGIN;
    return {
      ...super.settings,
      AWS_KMS_REGION: region,
      AWS_KMS_ENDPOINT: this.url,
      AWS_KMS_ACCESS_KEY: accessKey,
      AWS_KMS_SECRET_KEY: secretKey,
    };
  }

  listCredentials(): string[] {
    return [LOGIN.secretKey];
  }

  buildEntry(id: string, key: string): string {
    return `${id}:aws:${ARN}${key}`;
  }

  protected answer({ method = '', headers }: IncomingMessage, url: URL, body: Buffer): FakeResponse {
    const fault = findSignatureFault({ method, url, headers, body, ...LOGIN });
    if (fault) return failure(SIGNATURE_ERRORS[fault], 'The security token included in the request is invalid.');
    if (isSkewed(String(headers['x-amz-date']))) return failure('InvalidSignatureException', 'Signature expired');
    if (method !== 'POST' || url.pathname !== '/' || headers['content-type'] !== 'application/x-amz-json-1.1')
      return failure('UnknownOperationException', '');
    const fields = parseObject(body);
    if (!fields) return failure('SerializationException', '');
    if (!isContext(fields['EncryptionContext'])) return failure('SerializationException', '');
    if (buildContext(fields).length > MAX_CONTEXT) return failure('ValidationException', 'EncryptionContext');
    const target = headers['x-amz-target'];
    if (target === 'TrentService.Encrypt') return this.encrypt(fields);
    if (target === 'TrentService.Decrypt') return this.decrypt(fields);
    return failure('UnknownOperationException', '');
  }

  private encrypt(fields: Fields): FakeResponse {
    if (typeof fields['KeyId'] !== 'string') return failure('ValidationException', 'keyId');
    const keyId = readKeyId(fields);
    const key = this.keys.get(keyId);
    const problem = findKeyProblem(key, keyId);
    if (problem) return problem;
    const plain = parseBase64(fields['Plaintext']);
    if (!plain || plain.length < 1 || plain.length > 4_096) return failure('ValidationException', 'Plaintext');
    this.seen.add(plain.toString('base64'));
    const version = key!.versions.length;
    // The blob names its key and the version of the key material.
    const header = Buffer.from(`${keyId.padEnd(36)}${String(version).padStart(4)}`);
    const bytes = encryptWith(key!.versions.at(-1)!, plain, buildContext(fields));
    const blob = Buffer.concat([header, bytes]).toString('base64');
    return success({ KeyId: `${ARN}${keyId}`, CiphertextBlob: blob, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
  }

  private decrypt(fields: Fields): FakeResponse {
    const blob = parseBase64(fields['CiphertextBlob']);
    if (!blob || blob.length < 1 || blob.length > 6_144) return failure('ValidationException', 'CiphertextBlob');
    const keyId = blob.subarray(0, 36).toString('latin1').trim();
    const key = this.keys.get(keyId);
    if (!key) return failure('InvalidCiphertextException', '');
    if (fields['KeyId'] !== undefined && readKeyId(fields) !== keyId) return failure('IncorrectKeyException', '');
    const problem = findKeyProblem(key, keyId);
    if (problem) return problem;
    const material = key.versions[Number(blob.subarray(36, 40).toString('latin1')) - 1];
    const plain = material && decryptWith(material, blob.subarray(40), buildContext(fields));
    if (!plain) return failure('InvalidCiphertextException', '');
    return success({
      KeyId: `${ARN}${keyId}`,
      Plaintext: plain.toString('base64'),
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    });
  }
}

const SIGNATURE_ERRORS: Readonly<Record<SignatureFault, string>> = {
  missing: 'MissingAuthenticationTokenException',
  'access key': 'UnrecognizedClientException',
  scope: 'InvalidSignatureException',
  signature: 'InvalidSignatureException',
};

function isSkewed(date: string): boolean {
  const [, day, time] = /^(\d{8})T(\d{6})Z$/.exec(date) ?? [];
  if (day === undefined || time === undefined) return true;
  const iso = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`;
  return Math.abs(Date.now() - Date.parse(iso)) > MAX_SKEW_MS;
}

function readKeyId({ KeyId }: Fields): string {
  return String(KeyId).replace(ARN, '');
}

function findKeyProblem(key: FakeKey | undefined, keyId: string): FakeResponse | undefined {
  if (!key) return failure('NotFoundException', `Key '${ARN}${keyId}' does not exist`);
  if (key.isDeleted) return failure('KMSInvalidStateException', `${ARN}${keyId} is pending deletion.`);
  if (key.isDisabled) return failure('DisabledException', `${ARN}${keyId} is disabled.`);
  if (!key.isSymmetric) return failure('InvalidKeyUsageException', `The algorithm does not fit ${ARN}${keyId}`);
  return undefined;
}

function isContext(context: unknown): boolean {
  if (context === undefined) return true;
  if (typeof context !== 'object' || context === null || Array.isArray(context)) return false;
  return Object.values(context).every((value) => typeof value === 'string');
}

/** Builds the authenticated data: pairs in the order of their names. */
function buildContext({ EncryptionContext: context }: Fields): Buffer {
  return Buffer.from(JSON.stringify(Object.entries((context ?? {}) as Record<string, string>).sort()));
}

function success(body: object): FakeResponse {
  return { status: 200, body };
}

function failure(type: string, message: string): FakeResponse {
  return { status: 400, body: { __type: type, message } };
}
