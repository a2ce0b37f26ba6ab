import { Column, type ColumnOptions, PrimaryColumn } from 'typeorm';

/** Declares an amount of money: numeric(10,2), read as a decimal string. The currency is another column. */
export function MoneyColumn(name: string, options: ColumnOptions = {}): PropertyDecorator {
  return Column({ type: 'numeric', name, precision: 10, scale: 2, nullable: true, ...options });
}

/** Declares an instant: timestamptz, read as a Date. */
export function InstantColumn(name: string, options: ColumnOptions = {}): PropertyDecorator {
  return Column({ type: 'timestamptz', name, ...options });
}

/**
 * The columns of every tenant row. Only the database writes them. The tenant defaults to auth.uid() and is checked by
 * policy.
 */
export abstract class BaseEntity {
  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS' })
  readonly id: number;

  @Column('bigint', { name: 'user_id' })
  readonly userId: number;

  @InstantColumn('created_at', { default: () => 'now()' })
  readonly createdAt: Date;
}
