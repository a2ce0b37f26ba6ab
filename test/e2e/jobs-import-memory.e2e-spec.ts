import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Database } from '../../src/platform/database/database';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { buildJob } from '../support/factories/job.factory';

const WARM_UP_ROWS = 1_000;
const ROWS = 8_000;

/** Batches of 500 rows between two measurements of memory: a quarter of the body. */
const BATCHES = 4;

/** Limit of retained bytes per row: its text has about 200, its key 100, and its objects more than either. */
const MAX_HELD = 60;

/** A row in each format, with a new id each time. */
const FORMS = {
  'application/x-ndjson': { header: '', row: () => JSON.stringify(buildJob({ upworkJobId: randomUUID() })) },
  'text/csv': {
    header: 'upworkJobId,title,description,skills\n',
    row: () => `${randomUUID()},A job,One of many,"SQL, C++"`,
  },
};
type Form = keyof typeof FORMS;

describe('POST /v1/jobs/import of a long body', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
    setFlagsFromString('--expose-gc');
  });
  afterAll(() => app.close());

  // `npm run bench` measures the garbage, which depends on when V8 collects.
  it.each(Object.keys(FORMS) as Form[])('%s: retains nothing of a stored row', async (form) => {
    expect(await bytesPerRow(form)).toBeLessThan(MAX_HELD);
  });

  /** Returns the growth of memory per row, in the quarter of the body with the least growth. */
  async function bytesPerRow(form: Form): Promise<number> {
    const { token = '' } = await createSignedInCaller(app);
    await imported(app.url, token, form, WARM_UP_ROWS);
    const looks: number[] = [];
    const database = app.get(Database);
    const unit = database.transaction.bind(database);
    let batches = 0;
    database.transaction = (work) => {
      if (batches++ % BATCHES === 0) looks.push(heldBytes());
      return unit(work);
    };
    try {
      expect(await imported(app.url, token, form, ROWS)).toMatchObject({ created: ROWS });
    } finally {
      database.transaction = unit;
    }
    // Retained rows grow in each quarter; other work of the process, such as compiling, affects only one.
    const quarters = looks.slice(1).map((bytes, i) => bytes - looks[i]!);
    return Math.min(...quarters) / (ROWS / 4);
  }
});

/** Returns the bytes in the heap and outside of it after a collection. */
function heldBytes(): number {
  const collect = runInNewContext('gc') as () => void;
  collect();
  // Memory outside of the heap is freed in the background, at the latest before the next collection.
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Streams the rows and returns the response. */
async function imported(appUrl: string, token: string, form: Form, rows: number): Promise<unknown> {
  const body = Readable.from(
    (function* () {
      yield Buffer.from(FORMS[form].header);
      for (let row = 0; row < rows; row++) yield Buffer.from(`${FORMS[form].row()}\n`);
    })(),
  );
  const headers = { authorization: `Bearer ${token}`, 'content-type': form };
  const init: RequestInit & { duplex: 'half' } = {
    method: 'POST',
    headers,
    body: Readable.toWeb(body) as ReadableStream,
    duplex: 'half',
  };
  const response = await fetch(`${appUrl}/v1/jobs/import`, init);
  return response.json();
}
