import { existsSync, lstatSync } from 'node:fs';
import type { Config } from '../../platform/config/config';
import { ConfigError, isFileOfSetting, loadConfig } from '../../platform/config/load-config';
import { KeyFile } from '../../platform/encryption/key-file';
import { settings } from '../../platform/config/settings';
import { type Finding, ok, problem, warning } from './finding';

/** The settings as the start validates them, and what is wrong with them. */
export interface ExaminedSettings {
  /** Undefined with invalid settings. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/** Cures of settings that the operator does not set. */
const CURES: Readonly<Record<string, string>> = {
  GIGVAULT_EMBEDDED: 'NODE_ENV=development npm start, or set DATABASE_URL, its siblings and REDIS_URL',
};

/**
 * Validates the settings like the start.
 * @param findPlace returns where a setting is set, for the cure
 */
export function checkSettings(env: NodeJS.ProcessEnv, findPlace: (name: string) => string): ExaminedSettings {
  try {
    return { config: loadConfig(env), findings: [ok('settings', 'valid')] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, findings: error.problems.map((text) => describeSetting(text, findPlace)) };
  }
}

/** Describes a problem of a ConfigError, with its cure. */
export function describeSetting(text: string, findPlace: (name: string) => string): Finding {
  const [name = ''] = text.split(':');
  return problem('settings', text, CURES[name] ?? `set ${name} ${findPlace(name)}; .env.example describes it`);
}

/** Warns about variables whose names are nearly those of unset settings. The start ignores them. */
export function checkNames(env: NodeJS.ProcessEnv): Finding[] {
  const known = Object.keys(settings.shape);
  const unset = known.filter((name) => !env[name]);
  return Object.keys(env)
    .filter((name) => env[name] && !known.includes(name) && !isFileOfSetting(name))
    .flatMap((name) => {
      const meant = findSimilarSetting(name, unset);
      return meant === undefined
        ? []
        : [warning('settings', `${name} is no setting; ${meant} is`, `rename ${name} to ${meant}`)];
    });
}

/** Returns the setting whose name differs from this one in at most one character, if any. */
export function findSimilarSetting(
  name: string,
  settingNames: readonly string[] = Object.keys(settings.shape),
): string | undefined {
  return settingNames.find((each) => areSimilar(normalizeName(name), normalizeName(each)));
}

function normalizeName(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

/** Returns whether texts differ in at most one character: missing, added, replaced, or swapped with the next one. */
function areSimilar(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < Math.min(one.length, other.length) - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  const [left, right] = [one, other].map((text) => text.slice(start, text.length - end)) as [string, string];
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0];
}

const KEY_SERVICES = { vault: 'in Vault', aws: 'in AWS KMS' } as const;

/** Checks the file of the master keys like the start. */
export function checkKeyFile({ keyFile, remoteKeys }: Config['encryption']): Finding {
  const services = [...new Set(remoteKeys.map(({ service }) => KEY_SERVICES[service]))];
  if (keyFile === undefined) return ok('keys', ['from ENCRYPTION_KEYS', ...services].join(', '));
  try {
    new KeyFile(keyFile).read();
    return ok('keys', `${keyFile} is complete and private`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [text = ''] = error.problems;
    return problem('keys', text, text.includes('chmod') ? `chmod 600 ${keyFile}` : buildCopyCure(keyFile));
  }
}

/** Returns the commands that restore a file of secrets from a copy. cp does not write through a link to nothing. */
export function buildCopyCure(file: string): string {
  const isDangling = !existsSync(file) && lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  return `${isDangling ? `rm ${file} && ` : ''}cp YOUR_COPY ${file} && chmod 600 ${file}`;
}
