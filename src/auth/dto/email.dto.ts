import { EmailField } from '../email-field';

/** Whose account it is about. */
export class EmailDto {
  @EmailField()
  readonly email: string;
}
