import { TextField } from '../../platform/http/validation/fields';

/** Joins an action and the admin's reason, if given, into the reason of the security event. */
export function describeAction(action: string, reason: string | undefined): string {
  return reason === undefined ? action : `${action}: ${reason}`;
}

/** The reason for an action of an admin, required. */
export class RunTaskDto {
  @TextField({
    max: 500,
    description: 'Reason, kept in the security log.',
    example: 'fresh numbers for the monthly report',
  })
  reason: string;
}

/** The reason for an action of an admin, optional. */
export class ReasonDto {
  @TextField({
    max: 500,
    optional: true,
    description: 'Reason, kept in the security log.',
    example: 'maintenance of the database',
  })
  reason?: string;
}
