import {
  Controller,
  Get,
  Header,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Config } from '../config/config';
import { AppError } from '../errors/app-error';
import { Public } from '../http/access/access';
import { MetricsService } from './metrics.service';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** GET /metrics on the port of the API, unless METRICS_PORT is set. */
@ApiExcludeController()
@Controller('metrics')
@Public('a local scraper has no session; in production it uses METRICS_PORT or signs in as an admin', {
  inProduction: 'admin',
})
export class MetricsController {
  constructor(
    private readonly metrics: MetricsService,
    private readonly config: Config,
  ) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  list(): Promise<string> {
    if (this.config.http.metricsPort !== 0) throw new AppError('route.not_found');
    return this.metrics.registry.metrics();
  }
}

/** Serves GET /metrics on METRICS_PORT, which only scrapers should reach. Does nothing without the setting. */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly metrics: MetricsService,
    private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { host, metricsPort } = this.config.http;
    if (metricsPort === 0) return;
    const { registry } = this.metrics;
    this.server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    }).listen(metricsPort, host);
    await once(this.server, 'listening');
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }
}
