import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { Template } from './template.entity';
import { TemplatesController } from './templates.controller';
import { TemplatesService } from './templates.service';

declareConstraint('templates_name_key', {
  code: 'template.already_exists',
  pointer: '/name',
  message: 'you have a template of this name',
});

/** Texts that a freelancer uses again: cover letters and replies. */
@Module({
  imports: [TypeOrmModule.forFeature([Template])],
  controllers: [TemplatesController],
  providers: [TemplatesService],
})
export class TemplatesModule {}
