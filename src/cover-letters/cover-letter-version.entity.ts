import { Column, Entity } from 'typeorm';
import { BaseEntity } from '../platform/database/base.entity';

/** A cover letter a proposal has or had; never changed. */
@Entity('letter_versions')
export class CoverLetterVersion extends BaseEntity {
  @Column('bigint', { name: 'proposal_id' })
  proposalId: number;

  /** NULL for a letter the user wrote himself. */
  @Column('bigint', { name: 'generation_id', nullable: true })
  generationId: number | null;

  @Column('text')
  letter: string;
}
