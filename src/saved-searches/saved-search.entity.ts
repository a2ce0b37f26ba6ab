import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../platform/database/base.entity';
import type { SearchWorkload } from './saved-searches.dto';

/** Search for jobs on Upwork that runs automatically. */
@Entity('saved_searches')
export class SavedSearch extends BaseEntity {
  @Column('text')
  name: string;

  @Column('text')
  query: string;

  @Column('text', { name: 'job_type', nullable: true })
  jobType: 'fixed' | 'hourly' | null;

  @Column('text', { name: 'experience_level', nullable: true })
  experienceLevel: 'entry' | 'intermediate' | 'expert' | null;

  @Column('text', { nullable: true })
  workload: SearchWorkload | null;

  @Column('integer', { name: 'budget_min', nullable: true })
  budgetMin: number | null;

  @Column('integer', { name: 'budget_max', nullable: true })
  budgetMax: number | null;

  @Column('integer', { name: 'hourly_rate_min', nullable: true })
  hourlyRateMin: number | null;

  @Column('integer', { name: 'hourly_rate_max', nullable: true })
  hourlyRateMax: number | null;

  @Column('integer', { name: 'client_hires_min', nullable: true })
  clientHiresMin: number | null;

  @Column('integer', { name: 'client_hires_max', nullable: true })
  clientHiresMax: number | null;

  @Column('integer', { name: 'applicants_min', nullable: true })
  applicantsMin: number | null;

  @Column('integer', { name: 'applicants_max', nullable: true })
  applicantsMax: number | null;

  @Column('boolean', { name: 'payment_verified_only', default: false })
  paymentVerifiedOnly: boolean;

  @Column('boolean', { name: 'previous_clients_only', default: false })
  previousClientsOnly: boolean;

  @Column('text', { array: true, default: '{}' })
  locations: string[];

  @Column('integer', { name: 'alert_hours', nullable: true })
  alertHours: number | null;

  /** Webhook that receives new matches; null: they are emailed. */
  @Column('bigint', { name: 'webhook_id', nullable: true })
  webhookId: number | null;

  @Column('integer', { name: 'new_matches', default: 0 })
  newMatches: number;

  @InstantColumn('last_searched_at', { nullable: true })
  lastSearchedAt: Date | null;

  /** When all of its pages were last read. */
  @InstantColumn('last_full_search_at', { nullable: true })
  lastFullSearchAt: Date | null;

  /** When its latest run ended, also in a failure; null: it runs first. */
  @InstantColumn('last_tried_at', { nullable: true })
  lastTriedAt: Date | null;

  /** Error of the latest run; null after a success. */
  @Column('text', { name: 'last_error', nullable: true })
  lastError: string | null;

  @InstantColumn('last_alerted_at', { nullable: true })
  lastAlertedAt: Date | null;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}
