import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { MetricsService } from '../../../platform/metrics/metrics.service';
import { UpworkRateLimiterService } from '../../../upwork/upwork-rate-limiter.service';

/** Exposes the calls to Upwork of the current UTC day, of all processes. */
@Injectable()
export class UpworkCallMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: MetricsService,
    private readonly upworkCalls: UpworkRateLimiterService,
  ) {}

  onModuleInit(): void {
    const { upworkCalls } = this;
    new Gauge({
      name: 'upwork_calls_today',
      help: 'Calls to Upwork of the current UTC day: used and left. Without values while Redis does not answer.',
      labelNames: ['state'],
      registers: [this.metrics.registry],
      async collect() {
        this.reset();
        const budget = await upworkCalls.readBudget().catch(() => null);
        if (budget === null) return;
        this.set({ state: 'used' }, budget.used);
        this.set({ state: 'left' }, Math.max(0, budget.perDay - budget.used));
      },
    });
  }
}
