/** The settings do not fit: its message names every wrong variable and what is expected, never a value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings do not fit (see .env.example):\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = ConfigError.name;
  }
}
