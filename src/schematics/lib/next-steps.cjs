// @ts-check

/**
 * Prints the next commands when the process ends, because the CLI lists the written files last.
 * @param {readonly string[]} commands
 */
function printNextSteps(commands) {
  process.once('exit', (code) => {
    if (code === 0) process.stdout.write(`\nNext:\n${commands.map((command) => `  ${command}\n`).join('')}`);
  });
}

module.exports = { printNextSteps };
