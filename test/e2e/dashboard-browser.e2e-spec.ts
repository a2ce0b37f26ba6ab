import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { ScheduledTask } from '../../src/platform/scheduler/scheduled-task';
import { SCHEDULED_TASKS } from '../../src/scheduled-tasks';
import { startApp, type TestApp } from '../support/test-app';
import { describeInBrowser, takeScreenshot, startBrowser } from '../support/browser';
import { createUser, signInFrom, enableTotp } from '../support/accounts';
import { freezeDate } from '../support/frozen-date';
import { startTestWorker, type TestWorker } from '../support/test-worker';

/** Every page an admin can open from the navigation. */
const PAGES = [
  '/admin',
  '/admin/runs',
  '/admin/database',
  '/admin/partitions',
  '/admin/backups',
  '/admin/security',
  '/admin/users',
  '/admin/keys',
  '/admin/mail',
];

const BACKUP_FILE = 'gigvault-20260131T021200Z-1.backup';

/** A verified backup, which the status OK needs. */
const INSERT_BACKUP = `INSERT INTO backups (status, started_by, store, file_name, size_bytes, sha256, verified_at)
  VALUES ('verified', 'schedule', 'folder', '${BACKUP_FILE}', 7340032, repeat('0', 64), now())`;

describeInBrowser('the dashboard in a browser', () => {
  const backups = mkdtempSync(join(tmpdir(), 'gigvault-backups-'));
  let app: TestApp;
  let worker: TestWorker;
  let browser: Browser;
  let page: Page;
  let isBroken = true;
  let markRunSeen!: () => void;
  const runSeen = new Promise<void>((resolve) => (markRunSeen = resolve));
  const consoleErrors: string[] = [];

  beforeAll(async () => {
    app = await startApp({ settings: { BACKUP_DIR: backups } });
    writeFileSync(join(backups, BACKUP_FILE), '');
    truncateSync(join(backups, BACKUP_FILE), 7_340_032);
    worker = await startTestWorker(app.settings, SCHEDULED_TASKS.map(simulate));
    await app.db.query('superuser', INSERT_BACKUP);
    browser = await startBrowser();
    page = await browser.newPage();
    page.on('console', (message) => message.type() === 'error' && consoleErrors.push(message.text()));
    page.on('pageerror', (error) => consoleErrors.push(error.message));
    page.setDefaultTimeout(60_000);
  });

  afterAll(async () => {
    await browser?.close();
    await worker?.close();
    await app?.close();
    rmSync(backups, { recursive: true });
  });

  /**
   * Replaces a task's work: create-partitions runs until that was seen, purge-expired fails until `isBroken` is false.
   */
  function simulate(task: ScheduledTask): ScheduledTask {
    const run: ScheduledTask['run'] = async () => {
      if (task.id === 'create-partitions') await runSeen;
      if (task.id === 'purge-expired' && isBroken) throw new Error('relation "idempotency_keys" is locked');
      return { done: 1 };
    };
    return { ...task, retries: 0, runsAtBoot: false, run };
  }

  /** Enters a reason and submits the form. */
  async function confirm(button: string): Promise<void> {
    await page.getByLabel('Reason').fill('a test of the dashboard');
    await page.getByRole('main').getByRole('button', { name: button }).click();
  }

  function waitForOutcome(name: string): Promise<void> {
    return page.locator('[role=status] .tag', { hasText: name }).first().waitFor();
  }

  it('lets an admin sign in with a second factor, list, run, watch, pause and resume tasks, retry a run', async () => {
    const person = await createUser(app, { role: 'admin' });
    // A code is accepted for 30 to 60 s only.
    freezeDate();
    const { authenticator } = await enableTotp(await signInFrom(app, person), person);
    await page.goto(`${app.url}/admin`);
    await takeScreenshot(page, 'sign-in');
    await page.getByLabel('Email').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.keyboard.press('Enter');
    await page.getByLabel('Code of your authenticator').fill(authenticator.generateCode());
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'Scheduled tasks' }).waitFor();
    jest.useRealTimers();
    for (const { id } of SCHEDULED_TASKS)
      expect(await page.getByRole('link', { name: id, exact: true }).count()).toBeGreaterThan(0);
    await page.getByText('Live', { exact: true }).waitFor();

    await page.getByRole('link', { name: 'Run now create-partitions' }).click();
    await takeScreenshot(page, 'confirm');
    await confirm('Run now');
    await waitForOutcome('running');
    markRunSeen();
    await waitForOutcome('succeeded');

    await page.goto(`${app.url}/admin/tasks/create-partitions`);
    await page.getByRole('link', { name: 'Pause' }).click();
    await confirm('Pause');
    await page.getByText('Schedule paused.').waitFor();
    await page.goto(`${app.url}/admin`);
    await page.getByText('paused: create-partitions').first().waitFor();
    await page.getByRole('link', { name: 'Resume create-partitions' }).click();
    await confirm('Resume');
    await page.getByText('Schedule resumed.').waitFor();

    await page.goto(`${app.url}/admin/tasks/purge-expired/run`);
    await confirm('Run now');
    await waitForOutcome('failed');
    await page.goto(`${app.url}/admin`);
    await takeScreenshot(page, 'overview-failed');
    await page.getByRole('region', { name: 'State' }).getByRole('link', { name: 'Runs' }).click();
    await page.getByText('idempotency_keys').waitFor();
    await takeScreenshot(page, 'run-failed');
    isBroken = false;
    await page.getByRole('link', { name: 'Retry' }).click();
    await confirm('Retry');
    await waitForOutcome('succeeded');
    await page.goto(`${app.url}/admin`);
    await page.getByText('All is well.').waitFor();
    await takeScreenshot(page, 'overview-well');
    await expectToFit();
    expect(consoleErrors).toEqual([]);
  });

  /** Checks that every page fits a phone of 360 pixels. */
  async function expectToFit(): Promise<void> {
    for (const path of [
      ...PAGES,
      '/admin/tasks/create-partitions',
      '/admin/tasks/create-partitions/run',
      '/admin/runs/1',
      '/admin/users/1',
    ]) {
      await page.setViewportSize({ width: 360, height: 800 });
      await page.goto(app.url + path);
      const { width, tooWide } = await page.evaluate(() => ({
        width: document.documentElement.scrollWidth,
        tooWide: [...document.body.querySelectorAll('*')]
          .filter((e) => e.getBoundingClientRect().right > 360 && !e.closest('.hidden, caption, thead'))
          .map((e) => e.outerHTML.slice(0, 120)),
      }));
      expect({ path, width, tooWide }).toEqual({ path, width: 360, tooWide: [] });
      await takeScreenshot(page, path.slice('/admin/'.length).replaceAll('/', '-') || 'overview');
    }
  }
});
