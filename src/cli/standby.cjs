// @ts-check
// `node src/cli/standby.cjs PROGRAM [PORT]` loads the packages and waits for a line on standard input. Then it opens
// the port for a debugger, and runs the program in this process. `npm run dev` keeps one such process ready for API and
// worker: loading packages takes more than half of their start. It exits at the end of its input.
const inspector = require('node:inspector');
const { resolve } = require('node:path');
const { dependencies } = require('../../package.json');

const [program = '', inspectPort] = process.argv.splice(1, 3).slice(1);

for (const name of Object.keys(dependencies)) {
  try {
    require(name);
  } catch {
    // The program reports a package that it needs and cannot load.
  }
}

process.stdin.once('end', () => process.exit(0));
process.stdin.once('data', () => {
  process.stdin.removeAllListeners('end').destroy();
  if (inspectPort) inspector.open(Number(inspectPort), '127.0.0.1');
  process.argv.push(resolve(program));
  require(resolve(program));
});
