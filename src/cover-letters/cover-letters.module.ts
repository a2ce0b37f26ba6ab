import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CoverLetterVersion } from './cover-letter-version.entity';
import { CoverLettersController } from './cover-letters.controller';
import { CoverLettersService } from './cover-letters.service';

/** Cover letters made from AI generations, and the versions of each proposal's cover letter. */
@Module({
  imports: [TypeOrmModule.forFeature([CoverLetterVersion])],
  controllers: [CoverLettersController],
  providers: [CoverLettersService],
})
export class CoverLettersModule {}
