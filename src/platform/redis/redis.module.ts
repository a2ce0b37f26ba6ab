import { Global, Module } from '@nestjs/common';
import { RedisClients } from './redis-clients';

/** Gives every module the process's connections to Redis. */
@Global()
@Module({ providers: [RedisClients], exports: [RedisClients] })
export class RedisModule {}
