import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LetterVersion } from '../ai/letter-version.entity';
import { LettersController } from '../ai/letters.controller';
import { Letters } from '../ai/letters.service';

/** Cover letters made from AI generations, and the versions of each proposal's letter. */
@Module({
  imports: [TypeOrmModule.forFeature([LetterVersion])],
  controllers: [LettersController],
  providers: [Letters],
})
export class CoverLettersModule {}
