import type { AdminAct } from '../../platform/context/admin-acts';

interface UserAction {
  readonly act: AdminAct;
  readonly title: string;
  readonly text: string;
  readonly button: string;
  /** Message shown on the next page. */
  readonly notice: string;
}

/** The actions on an account, each with its act and texts. */
export const USER_ACTIONS = {
  deactivate: {
    act: 'change-user',
    title: 'Deactivate user',
    text: 'All sessions end at once. The user cannot sign in until activated again. Nothing is deleted.',
    button: 'Deactivate',
    notice: 'The user is deactivated.',
  },
  activate: {
    act: 'change-user',
    title: 'Activate user',
    text: 'The user can sign in again with the same password and second factor.',
    button: 'Activate',
    notice: 'The user can sign in again.',
  },
  'make-admin': {
    act: 'change-user',
    title: 'Give the admin role to user',
    text: 'The user can open this dashboard and change all accounts. All sessions of the user end at once.',
    button: 'Make admin',
    notice: 'The user is an admin.',
  },
  'remove-admin': {
    act: 'change-user',
    title: 'Remove the admin role of user',
    text: 'The user keeps the account and its data. All sessions of the user end at once.',
    button: 'Remove role',
    notice: 'The user is no longer an admin.',
  },
  'end-sessions': {
    act: 'end-user-sessions',
    title: 'End all sessions of user',
    text: 'The user must sign in again everywhere, and gets an email.',
    button: 'End sessions',
    notice: 'All sessions ended.',
  },
  'reset-mfa': {
    act: 'reset-mfa',
    title: 'Reset the second factor of user',
    text:
      'For users who have lost it. Verify their identity first. All sessions end and the user gets an email. ' +
      'The password stays.',
    button: 'Reset',
    notice: 'The second factor was reset.',
  },
} as const satisfies Readonly<Record<string, UserAction>>;
