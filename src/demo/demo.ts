import '../platform/config/load-config';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { storeDraftingTexts } from './ai-draft';
import { showHowToSignIn, signInDemoUser, signUp } from './demo-account';
import { DemoScenario, SAMPLE_LISTING } from './demo-scenario';
import { Operator, readRunningServices } from './operator';
import { Terminal } from './terminal';
import { UpworkScenario } from './upwork-scenario';
import { WebhookScenario } from './webhook-scenario';

/** Runs `npm run demo [-- --file listings.csv] [--server http://…]`: a freelancer's day on a running server. */
async function runDemo(): Promise<void> {
  const { values } = parseArgs({ options: { file: { type: 'string' }, server: { type: 'string' } } });
  const server = (values.server ?? readRunningServices()?.api)?.replace(/(?<!\/)\/+$/, '');
  if (!server)
    throw new Error('No server runs from this checkout. Run `npm start` in another terminal, or add --server URL.');
  const listing = values.file ? await readFile(values.file) : Buffer.from(SAMPLE_LISTING);
  const terminal = new Terminal();

  terminal.printHeading(`Gigvault at ${server}`);
  const { api, credentials, isNew } = await signInDemoUser(server);
  const { email } = credentials;
  terminal.printSuccess(isNew ? `signed up and verified ${email}` : `signed in as ${email}`);

  const scenario = new DemoScenario(api, terminal);
  await scenario.importJobs(values.file ? basename(values.file) : 'a small listing', listing);
  const matches = await scenario.searchJobs();
  await storeDraftingTexts(api, terminal);
  const won = await scenario.winProposal(matches);
  if (won) await scenario.exchangeMessages(won.job);
  await new WebhookScenario(api, terminal).run();
  const contract = await new UpworkScenario(api, terminal).run();
  if (contract) await scenario.showHistory(contract);
  const requestedAt = new Date();
  await new Operator(server).refreshStatistics();
  await scenario.showAnalytics(requestedAt);
  if (won) {
    await scenario.showHistory(won.proposal);
    await scenario.checkIsolation((await signUp(server)).api, won.job);
  }
  showHowToSignIn(terminal, credentials);
}

runDemo().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
