import { chmodSync, copyFileSync, existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { findProjectRoot, OperatorError } from '../../local-services/data-folder';
import { isReachable, type ServiceUser } from '../../local-services/file-permissions';
import { findCacheFolder } from '../../local-services/service-programs';

/** The variables of the operator for programs that need no settings. */
const COMMON_VARIABLES = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'NODE_ENV', 'NODE_OPTIONS'] as const;

/**
 * The path of the checkout for an account that may not enter one of its parents, as below /root. The kernel opens the
 * working directory of a process without a check of its parents, and the launcher sets it before the account.
 */
const WORKING_DIRECTORY = '/proc/self/cwd';

/** Node would otherwise replace the path of the working directory by the path that the account may not enter. */
const KEEP_PATHS = ['--preserve-symlinks', '--preserve-symlinks-main'] as const;

/** How a program of the checkout is run by an account. */
export interface NodeCommand {
  readonly command: string;
  /** Options of Node. */
  readonly options: readonly string[];
  /** The checkout as the program sees it. */
  readonly root: string;
}

/**
 * Returns how `user` runs a program of the checkout; undefined is the current user.
 * @throws OperatorError when the account cannot read the checkout
 */
export function buildNodeCommand(user: ServiceUser | undefined): NodeCommand {
  const root = findProjectRoot();
  if (!user) return { command: process.execPath, options: [], root };
  const command = isReachable(process.execPath, user) ? process.execPath : copyNode();
  const parts = ['dist', 'node_modules'].map((name) => join(root, name));
  if (parts.every((part) => isReachable(part, user))) return { command, options: [], root };
  if (
    existsSync(WORKING_DIRECTORY) &&
    parts.every((part) => isReachable(part, user, part)) &&
    isReachable(root, user, root)
  )
    return { command, options: KEEP_PATHS, root: WORKING_DIRECTORY };
  throw new OperatorError(
    `The servers do not run as root, and their account ${user.name} cannot read ${root}: ` +
      `chmod -R go+rX ${root}, or start as another user than root.`,
  );
}

/** Copies Node to the cache, which every account can read; a version manager installs it below /root. */
function copyNode(): string {
  const copy = join(findCacheFolder(), `node-${process.version}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${process.pid}`;
  copyFileSync(process.execPath, draft);
  chmodSync(draft, 0o755);
  renameSync(draft, copy);
  return copy;
}

/** Returns the environment of a program that gets only these settings. */
export function buildMinimalEnvironment(env: NodeJS.ProcessEnv, settings: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const common = COMMON_VARIABLES.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]);
  return { ...(Object.fromEntries(common) as NodeJS.ProcessEnv), ...settings };
}
