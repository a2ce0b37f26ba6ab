import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../platform/database/base.entity';
import type { TemplateType } from './templates.dto';

/** A text in the user's own words, which AI drafts of its type follow. */
@Entity('templates')
export class Template extends BaseEntity {
  @Column('text')
  name: string;

  @Column('text', { name: 'generation_type' })
  type: TemplateType;

  @Column('text')
  body: string;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}
