import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { Template } from './template.entity';
import { TemplatesController } from './templates.controller';
import { TemplatesService } from './templates.service';

declareConstraint('templates_name_key', {
  code: 'template.already_exists',
  pointer: '/name',
  message: 'You already have a template with this name. Choose another name, or change that template.',
});

/** Templates of cover letters, proposals and messages. */
@Module({
  imports: [TypeOrmModule.forFeature([Template]), AuditModule],
  controllers: [TemplatesController],
  providers: [TemplatesService],
})
export class TemplatesModule {}
