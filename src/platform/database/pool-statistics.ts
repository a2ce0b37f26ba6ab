import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { RolePools } from './role-pools';

/** How busy one connection pool is. */
export interface PoolStatistic {
  readonly role: string;
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Tells how busy the connection pools of this process are, for metrics. */
@Injectable()
export class PoolStatistics {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly rolePools: RolePools,
  ) {}

  /** One entry per pool in use, the app's first. */
  list(): PoolStatistic[] {
    const app = (this.dataSource.driver as unknown as { master: Pool }).master;
    return [statisticOf('app', app), ...this.rolePools.open().map(([role, pool]) => statisticOf(role, pool))];
  }
}

function statisticOf(role: string, { totalCount, idleCount, waitingCount }: Pool): PoolStatistic {
  return { role, total: totalCount, idle: idleCount, waiting: waitingCount };
}
