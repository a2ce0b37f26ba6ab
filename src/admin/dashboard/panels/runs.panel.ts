import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database/system-database';
import { RUN_OUTCOMES, type TaskRunDto } from '../../dto/task-run.dto';
import { runsByHour, searchRuns, type HourRow } from '../../tasks.queries';
import { TasksService } from '../../tasks.service';
import { hoursChart } from '../charts';
import { html, type Markup } from '../html';
import { runsTable } from '../runs-table';
import type { Panel, PanelRequest } from '../panel';

const ON_A_PAGE = 50;

/** The history of all runs, searchable, with a picture of the last day. */
@Injectable()
export class RunsPanel implements Panel {
  readonly path = '/runs';
  readonly title = 'Runs';
  readonly section = '/admin/runs';

  constructor(
    private readonly system: SystemDatabase,
    private readonly tasks: TasksService,
  ) {}

  async render({ query }: PanelRequest): Promise<Markup> {
    const task = this.tasks.ids.find((id) => id === query['task']);
    const outcome = RUN_OUTCOMES.find((name) => name === query['outcome']);
    const before = /^\d{1,15}$/.test(String(query['before'])) ? Number(query['before']) : undefined;
    const [runs, hours] = await this.system.asAdmin('read the history of runs', (unit) =>
      Promise.all([
        unit.query<TaskRunDto>(...searchRuns({ task, outcome, before }, ON_A_PAGE)),
        unit.query<HourRow>(...runsByHour(task ?? null)),
      ]),
    );
    const last = runs.at(-1);
    const older = new URLSearchParams({ task: task ?? '', outcome: outcome ?? '', before: String(last?.id ?? '') });
    return html`<div class="card">${hoursChart(hours)}</div>
      <form class="filters" method="get" action="/admin/runs">
        <label>Task <select name="task"><option value="">all</option>${this.tasks.ids.map((id) => option(id, task))}</select></label>
        <label>Outcome <select name="outcome"><option value="">all that did something</option>${RUN_OUTCOMES.map((name) => option(name, outcome))}</select></label>
        <button>Show</button>
      </form>
      <div class="card">${runsTable('Runs, newest first', runs)}</div>
      ${runs.length < ON_A_PAGE ? null : html`<p><a href="/admin/runs?${older.toString()}">Older runs</a></p>`}`;
  }
}

function option(value: string, chosen: string | undefined): Markup {
  return html`<option value="${value}"${value === chosen ? html` selected` : null}>${value.replaceAll('_', ' ')}</option>`;
}
