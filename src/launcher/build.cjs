// @ts-check
// Plain JavaScript, for it runs before anything is built: `node src/launcher/build.cjs [program [arguments]]`
// compiles what has changed into dist/ and then runs the program in this process. Several may build at once: each puts every
// file in its place whole, and none removes what another has made.
const { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { dirname, join, relative, resolve } = require('node:path');

const root = resolve(__dirname, '..', '..');
const stampFile = join(root, 'dist', '.build.json');

/** @returns {string[]} the sources of the servers, TypeScript and SQL, relative to the root */
function sources() {
  const folders = ['src', 'typeorm-migrations'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /(?<!\.spec|\.d)\.ts$|\.sql$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name))),
  );
  return ['ormconfig.ts', ...folders].filter((file) => !file.startsWith(join('src', 'schematics')));
}

/** @param {string} file @returns {string} changes whenever the file does */
function mark(file) {
  const { mtimeMs, size } = statSync(join(root, file));
  return `${mtimeMs} ${size}`;
}

/** @param {string} file @returns {string} where its JavaScript goes, or its copy */
const output = (file) => join(root, 'dist', file.replace(/\.ts$/, '.js'));

async function build() {
  const rules = ['.swcrc', 'package-lock.json', relative(root, __filename)].map(mark).join();
  /** @type {{ rules?: string, files: Record<string, string> }} */
  let before = { files: {} };
  try {
    before = JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    // The first build, or a broken stamp: compile everything.
  }
  const isWhole = before.rules !== rules;
  const files = Object.fromEntries(sources().map((file) => [file, mark(file)]));
  const gone = isWhole
    ? strays(Object.keys(files))
    : Object.keys(before.files)
        .filter((file) => !(file in files))
        .map(output);
  const changed = Object.keys(files).filter((file) => isWhole || files[file] !== before.files[file]);
  if (gone.length + changed.length === 0) return;
  for (const file of gone) rmSync(file, { force: true });
  if (changed.length > 0) await compile(changed);
  replace(stampFile, JSON.stringify({ rules, files }));
}

/** @param {string[]} files @returns {string[]} what is in dist/ without a source */
function strays(files) {
  const wanted = new Set(files.map(output));
  try {
    const found = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(root, 'dist', file),
    );
    return found.filter((file) => /\.(js|sql)$/.test(file) && !wanted.has(file));
  } catch {
    // Nothing was built yet.
    return [];
  }
}

/** @param {string} file @param {string} text */
function replace(file, text) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}

/** @param {string[]} files */
async function compile(files) {
  const { transformFile } = require('@swc/core');
  await Promise.all(
    files.map(async (file) => {
      const code = file.endsWith('.sql')
        ? readFileSync(join(root, file), 'utf8')
        : (await transformFile(join(root, file), { root, cwd: root, sourceMaps: 'inline' })).code;
      mkdirSync(dirname(output(file)), { recursive: true });
      replace(output(file), code);
    }),
  );
}

build().then(
  () => {
    const [program] = process.argv.splice(2, 1);
    if (program) require(resolve(root, program));
  },
  (error) => {
    process.stderr.write(`The build failed.\n${error.message}\n`);
    process.exit(1);
  },
);
