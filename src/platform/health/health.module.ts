import { Global, Module } from '@nestjs/common';
import { HealthService } from './health.service';
import { HealthController } from './health.controller';

/** /health/live and /health/ready. Other modules register their checks with `HealthService`. */
@Global()
@Module({ controllers: [HealthController], providers: [HealthService], exports: [HealthService] })
export class HealthModule {}
