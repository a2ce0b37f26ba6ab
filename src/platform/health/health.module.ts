import { Global, Module } from '@nestjs/common';
import { HealthService } from './health.service';
import { HealthController } from './health.controller';

/** /health/live and /health/ready; other modules add their parts to `HealthChecks`. */
@Global()
@Module({ controllers: [HealthController], providers: [HealthService], exports: [HealthService] })
export class HealthModule {}
