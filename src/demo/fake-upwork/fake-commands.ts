import type { Fault } from './fake-faults';
import type { FakeUpwork } from './fake-upwork';

/** Parameters of a command. All are texts, as in a form. */
type Parameters = Readonly<Record<string, string | undefined>>;

/** Actions of people on the site, and orders to the fake, for the demo and for manual tests: POST /control/<name>. */
const COMMANDS: Readonly<Record<string, (upwork: FakeUpwork, parameters: Parameters) => unknown>> = {
  hello: (upwork) => ({ settings: upwork.settings }),
  publish: ({ marketplace }, { title = 'A job', description = '', skills, question }) =>
    marketplace.publish({
      ...{ title, description, skills: skills?.split(',') ?? [], hourly: ['40', '60'] },
      questions: question === undefined ? [] : [question],
    }),
  submit: ({ marketplace }, { user = 'freelancer', jobId = '', coverLetter = '', bid = '50.00' }) =>
    marketplace.submit(user, jobId, coverLetter, bid),
  decide: ({ marketplace }, { proposalId = '', status = 'Hired' }) => marketplace.setStatus(proposalId, status),
  write: ({ marketplace }, { proposalId = '', author, message = '' }) =>
    marketplace.writeMessage(proposalId, author === 'freelancer' ? 'freelancer' : 'client', message),
  fault: ({ faults }, { endpoint, fault = '500', times = '1' }) =>
    faults.schedule(endpoint === 'graphql' ? 'graphql' : 'token', fault as Fault, Number(times)),
  serve: ({ cases }, { name = '' }) => cases.serve(name),
  break: ({ broken }, { share = '0', seed = '1' }) =>
    void Object.assign(broken, { share: Number(share), seed: Number(seed) }),
  partial: (upwork, { every = '0' }) => void (upwork.partialEvery = Number(every)),
};

/** Runs a command with its parameters in JSON and returns its result. @throws Error for an unknown command */
export function runCommand(upwork: FakeUpwork, name: string, body: string): unknown {
  const command = COMMANDS[name];
  if (!command) throw new Error(`Unknown command: ${name}. Known: ${Object.keys(COMMANDS).join(', ')}`);
  const parameters = body === '' ? {} : (JSON.parse(body) as Parameters);
  // A command without a result gets an empty object.
  return command(upwork, parameters) ?? {};
}
