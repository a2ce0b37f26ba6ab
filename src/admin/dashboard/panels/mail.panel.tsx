import { Injectable } from '@nestjs/common';
import type { VNode } from 'preact';
import { Config } from '../../../platform/config/config';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';
import { EmailOutboxService, type OutboxEmail } from '../../../platform/mail/mailer.service';
import { type Column, FactList, LivePart, Table, Timestamp, type Panel, type PanelRequest } from '../components/page';

/** Web addresses. A full stop or bracket at the end belongs to the sentence. */
const LINKS = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]])/;

const COLUMNS: readonly Column<OutboxEmail>[] = [
  { head: 'Subject', cell: ({ id, subject }) => <a href={`/admin/mail/${id}`}>{subject}</a> },
  { head: 'To', cell: ({ to }) => to },
  { head: 'Created', cell: ({ createdAt }) => <Timestamp at={createdAt} isRelative /> },
];

/** Returns the live parts of the list, by name. */
export function mailParts(emails: readonly OutboxEmail[]): { emails: VNode } {
  return {
    emails: (
      <Table caption="Emails, newest first" columns={COLUMNS} rows={emails} empty="No emails in the last 24 hours." />
    ),
  };
}

/** The emails of an installation without a mail server. Not available in production. */
@Injectable()
export class MailPanel implements Panel {
  readonly path = '/mail';
  readonly title = 'Mail';
  readonly section = '/admin/mail';
  readonly live = 'mail';
  readonly isAvailable: boolean;

  constructor(
    private readonly outbox: EmailOutboxService,
    config: Config,
  ) {
    this.isAvailable = !config.isProduction;
  }

  async render(): Promise<VNode> {
    const { emails } = mailParts(await this.outbox.list());
    return (
      <>
        <p>Without a mail server (SMTP_URL), emails are not sent: they stay here for 24 hours, the newest 100.</p>
        <div class="card">
          <LivePart name="emails">{emails}</LivePart>
        </div>
      </>
    );
  }
}

/** One email with its text. Not available in production. */
@Injectable()
export class EmailPanel implements Panel {
  readonly path = '/mail/:id';
  readonly title = 'Email';
  readonly section = '/admin/mail';
  readonly isAvailable: boolean;
  private readonly ids = new ParseIdPipe();

  constructor(
    private readonly outbox: EmailOutboxService,
    config: Config,
  ) {
    this.isAvailable = !config.isProduction;
  }

  async render({ id }: PanelRequest): Promise<VNode> {
    const { to, subject, text, createdAt } = await this.outbox.find(
      this.ids.transform(id, { type: 'param', data: 'id' }),
    );
    return (
      <>
        <p class="breadcrumbs">
          <a href="/admin/mail">Mail</a>
        </p>
        <div class="card">
          <FactList
            facts={[
              ['Subject', subject],
              ['To', to],
              ['Created', <Timestamp at={createdAt} />],
            ]}
          />
          <pre class="wrap">
            <LinkedText text={text} />
          </pre>
        </div>
      </>
    );
  }
}

/** Renders a text with clickable web addresses. */
function LinkedText({ text }: { text: string }): VNode {
  // split() with one group returns texts and links in turn.
  const parts = text.split(LINKS);
  return (
    <>
      {parts.map((part, index) =>
        index % 2 === 0 ? (
          part
        ) : (
          <a href={part} rel="noreferrer">
            {part}
          </a>
        ),
      )}
    </>
  );
}
