import { Module } from '@nestjs/common';
import { UpworkClientService } from './upwork-client.service';
import { UpworkRateLimiterService } from './upwork-rate-limiter.service';
import { UpworkOAuthService } from './upwork-oauth.service';

/** Everything that is said to Upwork over the network; it stores nothing. */
@Module({
  providers: [UpworkOAuthService, UpworkClientService, UpworkRateLimiterService],
  exports: [UpworkOAuthService, UpworkClientService],
})
export class UpworkModule {}
