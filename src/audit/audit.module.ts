import { Module } from '@nestjs/common';
import { AuditSubscriber } from './audit.subscriber';

/** Who changed what: the subscriber that writes the record, and the ways to read it. */
@Module({
  providers: [AuditSubscriber],
})
export class AuditModule {}
