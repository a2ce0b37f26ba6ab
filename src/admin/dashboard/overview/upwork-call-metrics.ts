import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { MetricsService } from '../../../platform/metrics/metrics.service';
import { RefusedDocumentsService } from '../../../upwork/refused-documents.service';
import { UpworkRateLimiterService } from '../../../upwork/upwork-rate-limiter.service';

/** Exposes the calls to Upwork of the current UTC day, of all processes, and the documents that Upwork refuses. */
@Injectable()
export class UpworkCallMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: MetricsService,
    private readonly upworkCalls: UpworkRateLimiterService,
    private readonly refusedDocuments: RefusedDocumentsService,
  ) {}

  onModuleInit(): void {
    this.registerCalls();
    this.registerDocuments();
  }

  private registerDocuments(): void {
    const { refusedDocuments } = this;
    new Gauge({
      name: 'upwork_documents_refused',
      help: 'Number of documents that Upwork refused and has not accepted since; an update of Gigvault is needed.',
      registers: [this.metrics.registry],
      async collect() {
        const refused = await refusedDocuments.list().catch(() => null);
        if (refused === null) this.remove();
        else this.set(refused.length);
      },
    });
  }

  private registerCalls(): void {
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
