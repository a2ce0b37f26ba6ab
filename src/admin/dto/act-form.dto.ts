import { Transform, type TransformFnParams } from 'class-transformer';
import { IsOptional } from 'class-validator';
import { AnyCodeField } from '../../auth/mfa/totp-code-field';
import { PasswordField } from '../../auth/password-field';
import { RunTaskDto } from './run-task.dto';

/** The form of an act on the dashboard: why, and where it is needed the proof that it is the admin who asks. */
export class ActFormDto extends RunTaskDto {
  @UnsetWhenEmpty()
  @IsOptional()
  @PasswordField()
  readonly password?: string;

  @UnsetWhenEmpty()
  @IsOptional()
  @AnyCodeField()
  readonly code?: string;
}

/** A browser sends the fields that were left empty. */
export function UnsetWhenEmpty(): PropertyDecorator {
  return Transform(({ value }: TransformFnParams): unknown => (value === '' ? undefined : value));
}
