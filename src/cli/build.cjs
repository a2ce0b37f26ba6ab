// @ts-check
// `node src/cli/build.cjs [program [arguments]]` compiles the changed sources into dist/, then runs the program in this
// process. It is plain JavaScript because it runs before the first build. Parallel builds are safe: each renames
// complete files into place, and no build removes another's output.
const { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { dirname, join, relative, resolve } = require('node:path');
const { assertRequirements } = require('./requirements.cjs');

assertRequirements();

const root = resolve(__dirname, '..', '..');
const buildInfoFile = join(root, 'dist', '.build.json');

/** @type {Readonly<Record<string, string>>} what to do about an error of the file system, by its code */
const CURES = {
  ENOSPC: `The disk of ${root} is full: remove files.\n`,
  EROFS: `The disk of ${root} is read only: mount -o remount,rw and its mount point.\n`,
  EACCES: `Another user owns files of ${root}: run the command as that user, or chown -R them.\n`,
};

/** @returns {string[]} the sources of the servers, TypeScript and what they read, relative to the root */
function sources() {
  const folders = ['src', 'typeorm-migrations'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /(?<!\.spec|\.d)\.tsx?$|\.(sql|css|graphql|js)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name))),
  );
  return ['ormconfig.ts', ...folders].filter((file) => !file.startsWith(join('src', 'schematics')));
}

/** @param {string} file @returns {string} a text that changes with the file */
function fingerprint(file) {
  const { mtimeMs, size } = statSync(join(root, file));
  return `${mtimeMs} ${size}`;
}

/** @param {string} file @returns {string} the path of its JavaScript or, for other files, of its copy */
const outputPath = (file) => join(root, 'dist', file.replace(/\.tsx?$/, '.js'));

async function build() {
  const buildKey = ['.swcrc', 'package-lock.json', relative(root, __filename)].map(fingerprint).join();
  /** @type {{ buildKey?: string, files: Record<string, string> }} */
  let before = { files: {} };
  try {
    before = JSON.parse(readFileSync(buildInfoFile, 'utf8'));
  } catch {
    // The first build, or broken build info: compile everything.
  }
  const isFullBuild = before.buildKey !== buildKey;
  const files = Object.fromEntries(sources().map((file) => [file, fingerprint(file)]));
  const stale = isFullBuild
    ? findStaleOutput(Object.keys(files))
    : Object.keys(before.files)
        .filter((file) => !(file in files))
        .map(outputPath);
  const changed = Object.keys(files).filter((file) => isFullBuild || files[file] !== before.files[file]);
  if (stale.length + changed.length === 0) return;
  for (const file of stale) rmSync(file, { force: true });
  if (changed.length > 0) await compile(changed);
  replace(buildInfoFile, JSON.stringify({ buildKey, files }));
}

/** @param {string[]} files @returns {string[]} the files of dist/ without a source */
function findStaleOutput(files) {
  const wanted = new Set(files.map(outputPath));
  try {
    const found = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(root, 'dist', file),
    );
    return found.filter((file) => /\.(js|sql|css|graphql)$/.test(file) && !wanted.has(file));
  } catch {
    // Nothing was built yet.
    return [];
  }
}

/** @param {string} file @param {string} text */
function replace(file, text) {
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } finally {
    // A full disk would leave a part.
    rmSync(temporary, { force: true });
  }
}

/** @param {string[]} files */
async function compile(files) {
  assertRequirements(['@swc/core']);
  const { transformFile } = require('@swc/core');
  await Promise.all(
    files.map(async (file) => {
      const code = /\.tsx?$/.test(file)
        ? (await transformFile(join(root, file), { root, cwd: root, sourceMaps: 'inline' })).code
        : readFileSync(join(root, file), 'utf8');
      mkdirSync(dirname(outputPath(file)), { recursive: true });
      replace(outputPath(file), code);
    }),
  );
}

build().then(
  () => {
    const [program] = process.argv.splice(2, 1);
    if (program) require(resolve(root, program));
  },
  (error) => {
    process.stderr.write(`The build failed.\n${error.message}\n${CURES[error.code] ?? ''}`);
    process.exit(1);
  },
);
