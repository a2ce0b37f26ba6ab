import { Global, Module } from '@nestjs/common';
import { RedisClients } from './redis-clients';

/** Provides the process' connections to Redis. */
@Global()
@Module({ providers: [RedisClients], exports: [RedisClients] })
export class RedisModule {}
