import { Module } from '@nestjs/common';
import { UpworkOAuth } from './upwork-oauth.service';

/** Everything that is said to Upwork over the network; it stores nothing. */
@Module({ providers: [UpworkOAuth], exports: [UpworkOAuth] })
export class UpworkModule {}
