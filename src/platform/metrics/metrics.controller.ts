import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Config } from '../config/config';
import { AppError } from '../errors/app-error';
import { Public } from '../http/access';
import { Metrics } from './metrics.service';

/** GET /metrics on the API, unless METRICS_PORT gives it a port of its own. */
@ApiExcludeController()
@Controller('metrics')
@Public('a local scraper carries no session; in production it uses METRICS_PORT or an admin', { inProduction: 'admin' })
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly config: Config,
  ) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  list(): Promise<string> {
    if (this.config.http.metricsPort !== 0) throw new AppError('route.not_found');
    return this.metrics.registry.metrics();
  }
}
