import { Injectable } from '@nestjs/common';
import type { VNode } from 'preact';
import { SystemDatabase } from '../../../platform/database/system-database';
import { RUN_OUTCOMES, type RunOutcome, type TaskRunDto } from '../../api/tasks/tasks.dto';
import { countRunsByHour, searchRuns, type HourlyRunCounts } from '../../api/tasks/tasks.queries';
import { AdminTasksService } from '../../api/tasks/admin-tasks.service';
import type { Query } from '../../../platform/http/validation/query-string';
import { HoursChart } from '../components/charts';
import type { Panel, PanelRequest } from '../components/page';
import { RunsTable } from '../components/run-components';

const PAGE_SIZE = 50;
const MAX_TEXT = 200;

interface Filters {
  readonly task: string | undefined;
  readonly outcome: RunOutcome | undefined;
  readonly text: string | undefined;
}

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

  async render({ query }: PanelRequest): Promise<VNode> {
    const filters = this.parseFilters(query);
    const before = /^\d{1,15}$/.test(String(query['before'])) ? Number(query['before']) : undefined;
    const [runs, hours, failures] = await this.system.asAdmin('read the history of runs', (unit) =>
      Promise.all([
        unit.query<TaskRunDto>(...searchRuns({ ...filters, before }, PAGE_SIZE)),
        unit.query<HourlyRunCounts>(...countRunsByHour(filters.task ?? null)),
        this.tasks.listFailures(unit),
      ]),
    );
    const hasFilter = Object.values({ ...filters, before }).some((value) => value !== undefined);
    return (
      <>
        <div class="card">
          <HoursChart hours={hours} />
        </div>
        <FilterForm filters={filters} tasks={this.tasks.ids} />
        {failures.length > 0 && (
          <p class="actions">
            <a class="button" href="/admin/runs/retry-all">
              Retry all failed runs ({failures.length})
            </a>
          </p>
        )}
        <div class="card">
          <RunsTable
            caption="Runs, newest first"
            runs={runs}
            empty={hasFilter ? 'No run matches these filters.' : undefined}
          />
        </div>
        {runs.length === PAGE_SIZE && <OlderRuns filters={filters} before={runs.at(-1)?.id} />}
      </>
    );
  }

  /** Parses the filters of the query; ignores invalid values. */
  private parseFilters(query: Query): Filters {
    const text = typeof query['text'] === 'string' ? query['text'].trim().slice(0, MAX_TEXT) : '';
    return {
      task: this.tasks.ids.find((id) => id === query['task']),
      outcome: RUN_OUTCOMES.find((name) => name === query['outcome']),
      text: text || undefined,
    };
  }
}

function FilterForm({ filters, tasks }: { filters: Filters; tasks: readonly string[] }): VNode {
  return (
    <form class="filters" method="get" action="/admin/runs" role="search">
      <label>
        Task{' '}
        <select name="task">
          <option value="">all</option>
          <Options values={tasks} selected={filters.task} />
        </select>
      </label>
      <label>
        Outcome{' '}
        <select name="outcome">
          <option value="">all except skipped</option>
          <Options values={RUN_OUTCOMES} selected={filters.outcome} />
        </select>
      </label>
      <label>
        Run number, or part of its result <input type="search" name="text" maxlength={MAX_TEXT} value={filters.text} />
      </label>
      <button>Filter</button>
    </form>
  );
}

function Options({ values, selected }: { values: readonly string[]; selected: string | undefined }): VNode {
  return (
    <>
      {values.map((value) => (
        <option value={value} selected={value === selected}>
          {value.replaceAll('_', ' ')}
        </option>
      ))}
    </>
  );
}

function OlderRuns({ filters, before }: { filters: Filters; before: number | undefined }): VNode {
  const { task = '', outcome = '', text = '' } = filters;
  const query = new URLSearchParams({ task, outcome, text, before: String(before ?? '') });
  return (
    <p>
      <a href={`/admin/runs?${query.toString()}`}>Older runs</a>
    </p>
  );
}
