/**
 * Variables by which libpq and pg are steered: PGSSLMODE, PGOPTIONS, PGHOST, PGPASSFILE and their siblings. People have
 * them in their shells for another database.
 */
const STEERS_CLIENTS = /^(?:PG[A-Z_]+|NODE_PG_FORCE_NATIVE)$/;

/**
 * Removes from an environment what would steer connections to PostgreSQL beside their URLs. Importing this file does it for
 * this process and its children, so a program imports it before anything that loads pg.
 */
export function removeClientVariables(environment: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(environment)) {
    if (STEERS_CLIENTS.test(name)) delete environment[name];
  }
}

removeClientVariables();
