import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { declareConstraint } from '../platform/database/pg-errors';
import { Profile } from './profile.entity';
import { ProfilesController } from './profiles.controller';
import { ProfilesService } from './profiles.service';
import { Template } from './template.entity';
import { TemplatesController } from './templates.controller';
import { TemplatesService } from './templates.service';

declareConstraint('templates_name_key', {
  code: 'template.already_exists',
  pointer: '/name',
  message: 'you have a template of this name',
});

/** What a freelancer says of himself, and his letters. */
@Module({
  imports: [TypeOrmModule.forFeature([Profile, Template])],
  controllers: [ProfilesController, TemplatesController],
  providers: [ProfilesService, TemplatesService],
  exports: [ProfilesService],
})
export class ProfilesModule {}
