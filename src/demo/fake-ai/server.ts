import { startFakeVendors } from './fake-vendors';

/** `npm run fake:ai [port]`: the fake vendors until Ctrl-C; prints the settings that make the server use them. */
async function main(): Promise<void> {
  const { settings } = await startFakeVendors({ port: Number(process.argv[2] ?? 4010) });
  console.log('# Fake AI vendors are up; what they write is marked as fake. Start the server with:');
  for (const [name, value] of Object.entries(settings)) console.log(`export ${name}=${value}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
