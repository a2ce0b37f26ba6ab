/** Id of the task that sends emails, for those who ask for a run of it. */
export const SEND_MAILS_ID = 'send-mails';
