import { Module } from '@nestjs/common';
import { UpworkClient } from './upwork-client.service';
import { UpworkLimiter } from './upwork-limiter.service';
import { UpworkOAuth } from './upwork-oauth.service';

/** Everything that is said to Upwork over the network; it stores nothing. */
@Module({ providers: [UpworkOAuth, UpworkClient, UpworkLimiter], exports: [UpworkOAuth, UpworkClient] })
export class UpworkModule {}
