import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn, MoneyColumn } from '../platform/database/base.entity';

/** What a freelancer says of himself: one row a user. */
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

  /** Work he may point at, a sentence or two each. */
  @Column('text', { name: 'past_wins', array: true, default: '{}' })
  pastWins: string[];

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}
