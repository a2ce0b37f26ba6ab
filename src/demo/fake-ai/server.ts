import { startFakeVendors } from './fake-vendors';

/** Runs `npm run fake:ai [port]`: the fake vendors until Ctrl-C. Prints the settings that point a server at them. */
async function main(): Promise<void> {
  const { settings } = await startFakeVendors({ port: Number(process.argv[2] ?? 4010) });
  console.log('# The fake AI vendors run; their texts are marked as fake. Start the server with:');
  for (const [name, value] of Object.entries(settings)) console.log(`export ${name}=${value}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
