// @ts-check
// Plain JavaScript, for it runs before anything is built: `node src/launcher/build.cjs [program [arguments]]`
// compiles what has changed into dist/ and then runs the program in this process.
const { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { dirname, join, relative, resolve } = require('node:path');

const root = resolve(__dirname, '..', '..');
const stampFile = join(root, 'dist', '.build.json');

/** @returns {string[]} the TypeScript sources of the servers, relative to the root */
function sources() {
  const folders = ['src', 'typeorm-migrations'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /(?<!\.spec|\.d)\.ts$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name))),
  );
  return ['ormconfig.ts', ...folders].filter((file) => !file.startsWith(join('src', 'schematics')));
}

/** @param {string} file @returns {string} changes whenever the file does */
function mark(file) {
  const { mtimeMs, size } = statSync(join(root, file));
  return `${mtimeMs} ${size}`;
}

/** @param {string} file @returns {string} where its JavaScript goes */
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
  if (before.rules !== rules) {
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    before = { files: {} };
  }
  const files = Object.fromEntries(sources().map((file) => [file, mark(file)]));
  const gone = Object.keys(before.files).filter((file) => !(file in files));
  const changed = Object.keys(files).filter((file) => files[file] !== before.files[file]);
  if (gone.length + changed.length === 0) return;
  for (const file of gone) rmSync(output(file), { force: true });
  if (changed.length > 0) await compile(changed);
  writeFileSync(stampFile, JSON.stringify({ rules, files }));
}

/** @param {string[]} files */
async function compile(files) {
  const { transformFile } = require('@swc/core');
  await Promise.all(
    files.map(async (file) => {
      const { code } = await transformFile(join(root, file), { root, cwd: root, sourceMaps: 'inline' });
      mkdirSync(dirname(output(file)), { recursive: true });
      writeFileSync(output(file), code);
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
