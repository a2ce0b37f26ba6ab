/** One email to one person, plain text. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** An email to be sent, and for how long it is of use. */
export interface OutgoingMail extends Mail {
  /** An email with a link is given up when the link has expired; others after a day. */
  readonly validForSeconds?: number;
}
