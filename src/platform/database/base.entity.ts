import { Column, PrimaryColumn } from 'typeorm';
import { InstantColumn } from './columns';

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
