import type { Browser, BrowserContext, Page } from 'playwright-core';
import { TaskQueue } from '../../src/platform/queues/task-queue';
import { createAccount, signInToDashboard } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { findViolations } from '../support/axe';
import { describeInBrowser, startBrowser } from '../support/browser';

describeInBrowser('bull-board at /admin/queues', () => {
  let app: TestApp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const consoleErrors: string[] = [];

  beforeAll(async () => {
    app = await startApp();
    await app.get(TaskQueue).bull.add('purge-expired', { runId: 7 } as never, { delay: 3_600_000 });
    browser = await startBrowser();
    context = await browser.newContext();
    const [name = '', value = ''] = (await signInToDashboard(app, await createAccount(app, 'admin'))).split(/=(.*)/s);
    await context.addCookies([{ name, value, url: app.url }]);
  });
  beforeEach(async () => {
    consoleErrors.length = 0;
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && consoleErrors.push(message.text()));
    page.setDefaultTimeout(60_000);
  });
  afterEach(() => page.close());
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  /** Rules that bull-board's own bundle and styles violate. */
  const UPSTREAM_RULES = new Set(['color-contrast', 'image-redundant-alt', 'label-content-name-mismatch']);

  async function findOwnViolations(): Promise<unknown[]> {
    return (await findViolations(page)).filter(
      ({ rule, elements }) => !UPSTREAM_RULES.has(rule) || elements.some((element) => element.includes('id="board-')),
    );
  }

  it.each([
    ['/admin/queues', 'Queue'],
    ['/admin/queues/queue/tasks?status=delayed', 'tasks'],
  ])('has a heading, a name for each button and a visible way back at %s', async (path, heading) => {
    await page.goto(app.url + path);
    await page.getByRole('link', { name: 'tasks', exact: true }).first().waitFor();
    const back = page.getByRole('link', { name: 'Back to the dashboard' });
    await back.waitFor();

    expect(await findOwnViolations()).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual([heading]);
    for (const name of ['Full screen', 'Settings', 'Links'])
      expect(await page.getByRole('button', { name, exact: true }).count()).toBe(1);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await findOwnViolations()).toEqual([]);
    await page.setViewportSize({ width: 390, height: 800 });
    for (const part of [back, page.getByRole('button', { name: 'Links', exact: true })]) {
      const { x, width } = (await part.boundingBox())!;
      expect(x + width).toBeLessThanOrEqual(390);
    }
    expect(consoleErrors).toEqual([]);
    await back.click();
    await page.getByRole('heading', { name: 'Scheduled tasks' }).waitFor();
  });

  it('keeps them when the page changes without a reload', async () => {
    await page.goto(`${app.url}/admin/queues`);
    await page.getByRole('link', { name: 'tasks', exact: true }).first().click();
    await page.getByRole('heading', { level: 1, name: 'tasks' }).waitFor();

    expect(await findOwnViolations()).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.getByRole('link', { name: 'Back to the dashboard' }).count()).toBe(1);
  });
});
