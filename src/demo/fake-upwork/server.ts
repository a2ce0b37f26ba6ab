import { FakeUpwork } from './fake-upwork';

/** Runs `npm run fake:upwork [port]`: the fake Upwork alone. Prints the settings that point a server at it. */
async function main(): Promise<void> {
  const upwork = await new FakeUpwork().start(Number(process.argv[2] ?? 4011));
  upwork.marketplace.publish({
    title: 'Speed up slow PostgreSQL queries',
    description: 'Our reports take minutes.',
    skills: ['PostgreSQL', 'SQL'],
    hourly: ['40', '60'],
  });
  upwork.marketplace.publish({
    title: 'A Telegram bot in Python',
    description: 'It answers questions.',
    skills: ['Python'],
    amount: '500',
  });
  const settings = Object.entries(upwork.settings).map(([name, value]) => `  export ${name}=${value}`);
  process.stdout.write(
    [
      `The fake Upwork listens on ${upwork.url}. Start Gigvault with:`,
      '',
      ...settings,
      '',
      'The tour in README.md shows how to connect, search and synchronise.',
      '',
    ].join('\n'),
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
