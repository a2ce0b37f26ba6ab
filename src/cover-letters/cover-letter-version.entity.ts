import { Column, Entity } from 'typeorm';
import { BaseEntity } from '../platform/database/base.entity';

/** Version of a proposal's cover letter; immutable. */
@Entity('letter_versions')
export class CoverLetterVersion extends BaseEntity {
  @Column('bigint', { name: 'proposal_id' })
  proposalId: number;

  /** NULL for a cover letter written by the user. */
  @Column('bigint', { name: 'generation_id', nullable: true })
  generationId: number | null;

  @Column('text')
  letter: string;
}
