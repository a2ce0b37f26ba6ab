import type { Config } from '../../platform/config/config';
import { ConfigError, loadConfig } from '../../platform/config/load-config';
import { KeyFile } from '../../platform/encryption/key-file';
import { type Finding, ok, problem } from './finding';

/** The settings as the start validates them, and what is wrong with them. */
export interface ExaminedSettings {
  /** Undefined with invalid settings. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/** Cures of settings that the operator does not set; the others are set in .env. */
const CURES: Readonly<Record<string, string>> = {
  GIGVAULT_EMBEDDED: 'NODE_ENV=development npm start, or set DATABASE_URL, its siblings and REDIS_URL',
};

/** Validates the settings like the start. */
export function checkSettings(env: NodeJS.ProcessEnv): ExaminedSettings {
  try {
    return { config: loadConfig(env), findings: [ok('settings', 'valid')] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, findings: error.problems.map(describeSetting) };
  }
}

function describeSetting(text: string): Finding {
  const [name = ''] = text.split(':');
  return problem('settings', text, CURES[name] ?? `set ${name} in .env; .env.example describes it`);
}

/** Checks the file of the master keys like the start. */
export function checkKeyFile({ keyFile }: Config['encryption']): Finding {
  if (keyFile === undefined) return ok('keys', 'from ENCRYPTION_KEYS');
  try {
    new KeyFile(keyFile).read();
    return ok('keys', `${keyFile} is complete and private`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [text = ''] = error.problems;
    const cure = text.includes('chmod') ? `chmod 600 ${keyFile}` : `cp YOUR_COPY ${keyFile} && chmod 600 ${keyFile}`;
    return problem('keys', text, cure);
  }
}
