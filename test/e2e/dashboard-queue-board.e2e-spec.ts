import type { Browser, Page } from 'playwright-core';
import { TaskQueue } from '../../src/platform/queues/task-queue';
import { anAccount, dashboardCookie } from '../support/admin-browser';
import { startApp, type TestApp } from '../support/app';
import { findViolations } from '../support/axe';
import { describeInBrowser, startBrowser } from '../support/browser';

describeInBrowser('bull-board at /admin/queues', () => {
  let app: TestApp;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    app = await startApp();
    await app.get(TaskQueue).bull.add('purge-expired', { runId: 7 } as never, { delay: 3_600_000 });
    browser = await startBrowser();
    const context = await browser.newContext();
    const [name = '', value = ''] = (await dashboardCookie(app, await anAccount(app, 'admin'))).split(/=(.*)/s);
    await context.addCookies([{ name, value, url: app.url }]);
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.setDefaultTimeout(10_000);
  });
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  /** What lies in bull-board's own bundle and styles. */
  const THEIRS = new Set(['color-contrast', 'image-redundant-alt', 'label-content-name-mismatch']);

  it.each([
    ['/admin/queues', 'Queue'],
    ['/admin/queues/queue/tasks?status=delayed', 'tasks'],
  ])('has a heading, a name for each button and a visible way back at %s', async (path, heading) => {
    await page.goto(app.url + path);
    await page.getByRole('link', { name: 'tasks', exact: true }).first().waitFor();
    const back = page.getByRole('link', { name: 'Back to the dashboard' });
    await back.waitFor();

    expect((await findViolations(page)).filter(({ rule }) => !THEIRS.has(rule))).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual([heading]);
    for (const name of ['Full screen', 'Settings', 'Links']) expect(await page.getByRole('button', { name, exact: true }).count()).toBe(1);
    expect(complaints).toEqual([]);
    await back.click();
    await page.getByRole('heading', { name: 'Scheduled tasks' }).waitFor();
  });

  it('keeps them when its page changes without a load', async () => {
    await page.goto(`${app.url}/admin/queues`);
    await page.getByRole('link', { name: 'tasks', exact: true }).first().click();
    await page.getByRole('heading', { level: 1, name: 'tasks' }).waitFor();

    expect((await findViolations(page)).filter(({ rule }) => !THEIRS.has(rule))).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.getByRole('link', { name: 'Back to the dashboard' }).count()).toBe(1);
  });
});
