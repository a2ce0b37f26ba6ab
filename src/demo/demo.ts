import '../platform/config/client-variables';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { signInDemoUser, signUp } from './account';
import { Day } from './day';
import { Operator, runningServices } from './operator';
import { SAMPLE_LISTING } from './sample-listing';
import { Screen } from './screen';
import { showHowToSignIn } from './show-how-to-sign-in';
import { UpworkLoop } from './upwork-loop';

/** `npm run demo [-- --file listings.csv] [--server http://…]`: a freelancer's day against a running server. */
async function demo(): Promise<void> {
  const { values } = parseArgs({ options: { file: { type: 'string' }, server: { type: 'string' } } });
  const server = (values.server ?? runningServices()?.api)?.replace(/(?<!\/)\/+$/, '');
  if (!server) throw new Error('No server runs from this checkout: `npm start` in another terminal, or --server URL.');
  const listing = values.file ? await readFile(values.file) : Buffer.from(SAMPLE_LISTING);
  const screen = new Screen();

  screen.heading(`Gigvault at ${server}`);
  const { api, credentials, isNew } = await signInDemoUser(server);
  const { email } = credentials;
  screen.good(isNew ? `signed up and verified ${email}` : `signed in as ${email}`);

  const day = new Day(api, screen);
  await day.bringInJobs(values.file ? basename(values.file) : 'a small listing', listing);
  const matches = await day.lookForWork();
  const won = await day.propose(matches);
  if (won) await day.talk(won.job);
  const contract = await new UpworkLoop(api, screen).walk();
  if (contract) await day.readTheRecord(contract);
  const asked = new Date();
  await new Operator(server).refreshStatistics();
  await day.seeTheNumbers(asked);
  if (won) {
    await day.readTheRecord(won.proposal);
    await day.meetAStranger((await signUp(server)).api, won.job);
  }
  showHowToSignIn(screen, credentials);
}

demo().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
