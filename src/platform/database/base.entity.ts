import { Column, type ColumnOptions, PrimaryColumn } from 'typeorm';

/** An amount of money: numeric(10,2) in the database, a decimal string with two places here; its currency is beside it. */
export function MoneyColumn(name: string, options: ColumnOptions = {}): PropertyDecorator {
  return Column({ type: 'numeric', name, precision: 10, scale: 2, nullable: true, ...options });
}

/** An instant: timestamptz in the database, a Date here. */
export function InstantColumn(name: string, options: ColumnOptions = {}): PropertyDecorator {
  return Column({ type: 'timestamptz', name, ...options });
}

/**
 * What every row of a tenant has. All of it is the database's to write: the identity, the tenant (auth.uid() by default,
 * checked by policy) and the times.
 */
export abstract class BaseEntity {
  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS' })
  readonly id: number;

  @Column('bigint', { name: 'user_id' })
  readonly userId: number;

  @InstantColumn('created_at', { default: () => 'now()' })
  readonly createdAt: Date;
}
