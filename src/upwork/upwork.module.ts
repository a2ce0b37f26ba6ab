import { Module } from '@nestjs/common';
import { CapabilitiesService } from './capabilities.service';
import { CircuitBreaker } from './circuit-breaker';
import { RefusedDocumentsService } from './refused-documents.service';
import { UpworkClientService } from './upwork-client.service';
import { UpworkRateLimiterService } from './upwork-rate-limiter.service';
import { UpworkOAuthService } from './upwork-oauth.service';

/** Communication with Upwork: OAuth, GraphQL client, rate limit. Stores nothing in the database. */
@Module({
  providers: [
    CircuitBreaker,
    UpworkOAuthService,
    UpworkClientService,
    UpworkRateLimiterService,
    CapabilitiesService,
    RefusedDocumentsService,
  ],
  exports: [
    UpworkOAuthService,
    UpworkClientService,
    UpworkRateLimiterService,
    CapabilitiesService,
    RefusedDocumentsService,
  ],
})
export class UpworkModule {}
