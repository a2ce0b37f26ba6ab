/**
 * `npm run test:flaky -- 10 [words]`: runs `npm test` ten times in random groups and order, beside a busy loop per
 * processor, and goes on after a red run. Prints seed, result and failed tests of each run; exits with 1 when one was
 * red. To repeat a run: `TEST_GROUPING=SEED npm test -- --seed=SEED`.
 */
const { spawn } = require('node:child_process');
const { randomInt } = require('node:crypto');
const { existsSync, mkdirSync, openSync, readFileSync, rmSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const { join } = require('node:path');
const { Worker } = require('node:worker_threads');

const ROOT = join(__dirname, '..');
const LOGS = join(ROOT, '.cache', 'flaky');

const print = (text) => process.stdout.write(`${text}\n`);

/** Runs the tests once. Returns the failed ones; a run without a report counts as one failure. */
async function runTests(run, seed, words) {
  const report = join(LOGS, `run-${run}.json`);
  rmSync(report, { force: true });
  const log = openSync(join(LOGS, `run-${run}.log`), 'w');
  // By npm, so that Node starts with the options of the script.
  const args = ['test', '--', `--seed=${seed}`, '--json', `--outputFile=${report}`, ...words];
  const env = { ...process.env, TEST_GROUPING: String(seed) };
  const child = spawn('npm', args, { cwd: ROOT, env, stdio: ['ignore', log, log] });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  const failed = existsSync(report) ? listFailed(JSON.parse(readFileSync(report, 'utf8'))) : [];
  return code !== 0 && failed.length === 0 ? [`the run ended with ${code}`] : failed;
}

/** Returns the names of the failed tests, and the files that could not run. */
function listFailed({ testResults }) {
  return testResults.flatMap(({ name, status, assertionResults }) => {
    const names = assertionResults.filter((test) => test.status === 'failed').map((test) => test.fullName);
    return status === 'failed' && names.length === 0 ? [name] : names;
  });
}

async function main([count = '10', ...words]) {
  const runs = Number(count);
  if (!Number.isInteger(runs) || runs < 1) throw new Error('The first argument is the number of runs: -- 10');
  mkdirSync(LOGS, { recursive: true });
  // Threads end with this process, also when it is killed.
  const loops = Array.from({ length: availableParallelism() }, () => new Worker('for (;;);', { eval: true }));
  let red = 0;
  for (let run = 1; run <= runs; run++) {
    const seed = randomInt(2 ** 31);
    const failed = await runTests(run, seed, words);
    if (failed.length > 0) red++;
    print(`run ${run} of ${runs}, seed ${seed}: ${failed.length === 0 ? 'green' : 'red'}`);
    for (const name of failed) print(`  ${name}`);
  }
  await Promise.all(loops.map((loop) => loop.terminate()));
  print(`${runs - red} of ${runs} runs were green. The logs are in .cache/flaky.`);
  process.exitCode = red === 0 ? 0 : 1;
}

main(process.argv.slice(2)).catch((error) => {
  print(error.message);
  process.exitCode = 1;
});
