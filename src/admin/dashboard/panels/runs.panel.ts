import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database/system-database';
import { RUN_OUTCOMES, type TaskRunDto } from '../../api/tasks/tasks.dto';
import { countRunsByHour, searchRuns, type HourlyRunCounts } from '../../api/tasks/tasks.queries';
import { AdminTasksService } from '../../api/tasks/admin-tasks.service';
import { hoursChart } from '../components/charts';
import { html, type Markup } from '../components/html';
import { runsTable } from '../components/run-components';
import type { Panel, PanelRequest } from '../components/page';

const PAGE_SIZE = 50;
const MAX_TEXT = 200;

/** The searchable history of all runs, with a chart of the last day. */
@Injectable()
export class RunsPanel implements Panel {
  readonly path = '/runs';
  readonly title = 'Runs';
  readonly section = '/admin/runs';

  constructor(
    private readonly system: SystemDatabase,
    private readonly tasks: AdminTasksService,
  ) {}

  async render({ query }: PanelRequest): Promise<Markup> {
    const task = this.tasks.ids.find((id) => id === query['task']);
    const outcome = RUN_OUTCOMES.find((name) => name === query['outcome']);
    const text =
      typeof query['text'] === 'string' && query['text'].trim() !== ''
        ? query['text'].trim().slice(0, MAX_TEXT)
        : undefined;
    const before = /^\d{1,15}$/.test(String(query['before'])) ? Number(query['before']) : undefined;
    const [runs, hours, failures] = await this.system.asAdmin('read the history of runs', (unit) =>
      Promise.all([
        unit.query<TaskRunDto>(...searchRuns({ task, outcome, text, before }, PAGE_SIZE)),
        unit.query<HourlyRunCounts>(...countRunsByHour(task ?? null)),
        this.tasks.listFailures(unit),
      ]),
    );
    const last = runs.at(-1);
    const olderQuery = new URLSearchParams({
      task: task ?? '',
      outcome: outcome ?? '',
      text: text ?? '',
      before: String(last?.id ?? ''),
    });
    return html`<div class="card">${hoursChart(hours)}</div>
      <form class="filters" method="get" action="/admin/runs" role="search">
        <label
          >Task
          <select name="task">
            <option value="">all</option>
            ${this.tasks.ids.map((id) => option(id, task))}
          </select></label
        >
        <label
          >Outcome
          <select name="outcome">
            <option value="">all except skipped</option>
            ${RUN_OUTCOMES.map((name) => option(name, outcome))}
          </select></label
        >
        <label
          >Run number, or part of its result <input type="search" name="text" maxlength="${MAX_TEXT}" value="${text}"
        /></label>
        <button>Filter</button>
      </form>
      ${failures.length === 0 ? null : html`<p class="actions"><a class="button" href="/admin/runs/retry-all">Retry all failed runs (${failures.length})</a></p>`}
      <div class="card">
        ${runsTable('Runs, newest first', runs, task || outcome || text || before ? 'No run matches these filters.' : undefined)}
      </div>
      ${runs.length < PAGE_SIZE ? null : html`<p><a href="/admin/runs?${olderQuery.toString()}">Older runs</a></p>`}`;
  }
}

function option(value: string, selected: string | undefined): Markup {
  return html`<option value="${value}" ${value === selected ? html` selected` : null}>
    ${value.replaceAll('_', ' ')}
  </option>`;
}
