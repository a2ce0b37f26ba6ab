import { Column, type ColumnOptions } from 'typeorm';

/** An amount of money: numeric(10,2) in the database, a decimal string with two places here; its currency is beside it. */
export function MoneyColumn(name: string, options: ColumnOptions = {}): PropertyDecorator {
  return Column({ type: 'numeric', name, precision: 10, scale: 2, nullable: true, ...options });
}

/** An instant: timestamptz in the database, a Date here. */
export function InstantColumn(name: string, options: ColumnOptions = {}): PropertyDecorator {
  return Column({ type: 'timestamptz', name, ...options });
}
