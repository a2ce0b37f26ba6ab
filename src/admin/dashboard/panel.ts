import type { Query } from '../../platform/http/query-string';
import type { Markup } from './html';

/** What a panel is asked with. */
export interface PanelRequest {
  readonly query: Query;
  /** The `:id` of its path, where it has one. */
  readonly id: string;
}

/** One page of the dashboard about one matter; a panel is one file, listed in admin.module.ts. */
export interface Panel {
  /** Below /admin, as Fastify writes paths. */
  readonly path: string;
  readonly title: string;
  /** The entry of the navigation it belongs to. */
  readonly section: string;
  /** What of it is shown live: a view of /admin/events. */
  readonly live?: string;
  /** Returns what stands below its title, for the admin of the request. Reading rows, unlike figures, is a security event. */
  render(request: PanelRequest): Promise<Markup>;
}

/** All panels, as they are injected. */
export const PANELS = Symbol('panels of the dashboard');
