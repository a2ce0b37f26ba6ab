// @ts-check

/**
 * Prints what to do next when everything is written: the CLI lists the files last, and a log of a rule comes before them.
 * @param {readonly string[]} commands
 */
function printAtTheEnd(commands) {
  process.once('exit', (code) => {
    if (code === 0) process.stdout.write(`\nNext:\n${commands.map((command) => `  ${command}\n`).join('')}`);
  });
}

module.exports = { printAtTheEnd };
