import { Global, Module } from '@nestjs/common';
import { Cache, ChangeFeed } from './cache';
import { CacheStats } from './cache-stats';
import { SharedCacheStore } from './shared-cache-store';
import { TenantVersions } from './tenant-versions';

/** The cache of tenants' reads; needs ConfigModule, DatabaseModule and RedisModule. */
@Global()
@Module({ providers: [Cache, CacheStats, ChangeFeed, SharedCacheStore, TenantVersions], exports: [Cache, CacheStats] })
export class CacheModule {}
