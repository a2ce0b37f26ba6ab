import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn, MoneyColumn } from '../platform/database/base.entity';

/** The profile of a freelancer: one row per user. */
@Entity('profiles')
export class Profile extends BaseEntity {
  @Column('text', { nullable: true })
  headline: string | null;

  @Column('text', { nullable: true })
  overview: string | null;

  @Column('text', { array: true, default: '{}' })
  skills: string[];

  @MoneyColumn('hourly_rate')
  hourlyRate: string | null;

  @Column('text', { default: 'USD' })
  currency: string;

  @Column('integer', { name: 'experience_years', nullable: true })
  experienceYears: number | null;

  /** Examples of past work, one or two sentences each. */
  @Column('text', { name: 'past_wins', array: true, default: '{}' })
  pastWins: string[];

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}
