import { Global, Module } from '@nestjs/common';
import { Cache } from './cache';
import { CacheFigures } from './cache-figures';
import { ChangeFeed } from './change-feed';
import { StoredValues } from './stored-values';
import { TenantVersions } from './tenant-versions';

/** The cache of tenants' reads; needs ConfigModule, DatabaseModule and RedisModule. */
@Global()
@Module({ providers: [Cache, CacheFigures, ChangeFeed, StoredValues, TenantVersions], exports: [Cache, CacheFigures] })
export class CacheModule {}
