import type { Browser, Locator, Page } from 'playwright-core';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, createUser, type SignedInCaller } from '../support/accounts';
import { describeInBrowser, takeScreenshot, startBrowser } from '../support/browser';

describeInBrowser('Swagger UI in a browser', () => {
  let app: TestApp;
  let browser: Browser;
  let page: Page;
  let user: SignedInCaller;
  const complaints: string[] = [];

  beforeAll(async () => {
    app = await startApp();
    browser = await startBrowser();
  });
  beforeEach(async () => {
    user = await createSignedInCaller(app);
    complaints.length = 0;
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.setDefaultTimeout(60_000);
    await page.goto(`${app.url}/docs`);
    await page.locator('.opblock-tag').first().waitFor();
  });
  afterEach(() => page.close());
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  async function authorize(): Promise<void> {
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await page.locator('.auth-container input').fill(user.token!);
    await page.locator('.auth-btn-wrapper .authorize').click();
    await page.locator('.auth-btn-wrapper .btn-done').click();
  }

  /** Opens an operation and presses "Try it out". */
  async function tryOut(tag: string, method: string, path: string): Promise<Locator> {
    const section = page.locator(`#operations-tag-${tag}`);
    if ((await section.getAttribute('data-is-open')) === 'false') await section.click();
    const block = page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });
    await block.locator('.opblock-summary-control').click();
    await block.getByRole('button', { name: 'Try it out' }).click();
    return block;
  }

  async function execute(block: Locator): Promise<{ status: string; body: string }> {
    await block.getByRole('button', { name: 'Execute' }).click();
    const answer = block.locator('.live-responses-table .response').first();
    return {
      status: (await answer.locator('.response-col_status').innerText()).trim(),
      body: await answer.innerText(),
    };
  }

  it('finds the rows of an account with the unchanged form', async () => {
    await user.post('/v1/jobs', { title: 'Move a reporting service' });
    await authorize();

    const { status, body } = await execute(await tryOut('Jobs', 'get', '/v1/jobs'));

    await takeScreenshot(page, 'swagger-jobs');
    expect([status, complaints]).toEqual(['200', []]);
    expect(body).toContain('Move a reporting service');
  });

  it("fills in the ids of the account's newest rows", async () => {
    await user.post('/v1/jobs', { title: 'An older one' });
    const { body: job } = await user.post('/v1/jobs', { title: 'The newest' });
    await authorize();

    const draft = await tryOut('Proposals', 'post', '/v1/proposals');
    await page.waitForFunction((id) => document.querySelector('textarea')?.value.includes(`"jobId": ${id}`), job.id);
    expect(await execute(draft)).toMatchObject({ status: '201' });
    const read = await tryOut('Jobs', 'get', '/v1/jobs/{id}');
    await page.waitForFunction(
      (id) => [...document.querySelectorAll('input')].some(({ value }) => value === String(id)),
      job.id,
    );

    const { status, body } = await execute(read);
    await takeScreenshot(page, 'swagger-ids');
    expect([status, complaints]).toEqual(['200', []]);
    expect(body).toContain('The newest');
  });

  it('fills in the refresh token of a sign-in on the page', async () => {
    const { email, password } = await createUser(app);
    const signIn = await tryOut('Auth', 'post', '/v1/auth/login');
    await signIn.locator('textarea').fill(JSON.stringify({ email, password }));
    const { status, body } = await execute(signIn);
    const [, refreshToken] = /"refreshToken": "([^"]+)"/.exec(body) ?? [];

    const refresh = await tryOut('Auth', 'post', '/v1/auth/refresh');
    await page.waitForFunction(
      (token) => [...document.querySelectorAll('textarea')].some(({ value }) => value.includes(String(token))),
      refreshToken,
    );

    expect([status, (await execute(refresh)).status, complaints]).toEqual(['200', '200', []]);
  });

  it('fills in no id for a deletion or without sign-in', async () => {
    const { body: job } = await user.post('/v1/jobs', { title: 'To keep' });
    const open = await tryOut('Jobs', 'get', '/v1/jobs/{id}');
    expect(await open.locator('input').first().inputValue()).toBe('');
    await authorize();

    const removal = await tryOut('Jobs', 'delete', '/v1/jobs/{id}');
    const history = await tryOut('Jobs', 'get', '/v1/jobs/{id}/history');
    await page.waitForFunction(
      (id) => [...document.querySelectorAll('input')].some(({ value }) => value === String(id)),
      job.id,
    );

    expect(await history.locator('input').first().inputValue()).toBe(String(job.id));
    expect(await removal.locator('input').first().inputValue()).toBe('');
  });
});
