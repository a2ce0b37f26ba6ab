import '../../../src/platform/config/load-config';
import { AuditSealer } from '../../../src/audit/seals/audit-sealer';
import { NoteSigner } from '../../../src/audit/seals/signed-note';
import { loadConfig } from '../../../src/platform/config/load-config';
import { RolePools } from '../../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../../src/platform/database/system-database';

/** A process that seals without a pause, until it is killed. Prints a line for each seal. */
async function main(): Promise<void> {
  const config = loadConfig();
  const sealer = new AuditSealer(
    new SystemDatabase(new RolePools(config), config),
    (origin) => new NoteSigner(origin ?? 'gigvault.example.org/audit', Buffer.alloc(32, 7)),
  );
  console.log('ready');
  for (;;) {
    // Another process may have stored a seal of the same number.
    const rows = await sealer.sealNext().catch((error: Error) => {
      if (!error.message.includes('seals_pkey')) throw error;
      return 0;
    });
    if (rows > 0) console.log(`sealed ${rows}`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
