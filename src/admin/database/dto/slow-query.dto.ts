import { ApiProperty } from '@nestjs/swagger';
import { adviceOn, type StatementFigures } from '../query-advice';
import { withoutLiterals } from '../without-literals';

const MAX_TEXT = 2_000;

/** A row of pg_stat_statements. */
export interface SlowQueryRow extends StatementFigures {
  readonly query: string;
  readonly role: string | null;
  readonly maxMs: number;
}

/** A statement that takes long, by pg_stat_statements. */
export class SlowQueryDto {
  @ApiProperty({
    type: String,
    description: 'Its text without values, 2,000 characters at most.',
    example: 'SELECT * FROM jobs WHERE id = $1',
  })
  query: string;

  @ApiProperty({ type: String, nullable: true, description: 'The role it ran as.', example: 'gigvault_app' })
  role: string | null;

  @ApiProperty({ type: 'integer', description: 'How often it ran.', example: 120 })
  calls: number;

  @ApiProperty({ type: Number, description: 'Time of all calls.', example: 1440 })
  totalMs: number;

  @ApiProperty({ type: Number, description: 'Time of a call.', example: 12 })
  meanMs: number;

  @ApiProperty({ type: Number, description: 'Time of the longest call.', example: 80.5 })
  maxMs: number;

  @ApiProperty({ type: 'integer', description: 'Rows of all calls.', example: 2400 })
  rows: number;

  @ApiProperty({ type: String, description: 'What to do about it.', example: 'Quick enough.' })
  advice: string;

  /** Shows a statement without its values. */
  static from(this: void, row: SlowQueryRow): SlowQueryDto {
    const { role, calls, totalMs, meanMs, maxMs, rows } = row;
    return {
      query: withoutLiterals(row.query).slice(0, MAX_TEXT),
      role,
      calls,
      totalMs,
      meanMs,
      maxMs,
      rows,
      advice: adviceOn(row),
    };
  }
}
