/** A job posting of the fake Upwork. */
export interface Posting {
  readonly id: string;
  readonly title: string;
}

/** An HTTP client for what clients and freelancers do on the site of the fake Upwork. */
export class FakeUpworkClient {
  private constructor(readonly url: string) {}

  /** Returns the fake that serves this consent page; undefined for any other site. It only calls this machine. */
  static async detect(authorizationUrl: string): Promise<FakeUpworkClient | undefined> {
    const { origin, hostname } = new URL(authorizationUrl);
    if (hostname !== '127.0.0.1' && hostname !== 'localhost') return undefined;
    const site = new FakeUpworkClient(origin);
    const isThere = await site.callControl('hello').then(
      () => true,
      () => false,
    );
    return isThere ? site : undefined;
  }

  /** Consents and returns the path to which the page redirects the user. */
  async consent(authorizationUrl: string): Promise<string> {
    const { headers } = await fetch(authorizationUrl, { redirect: 'manual' });
    const back = new URL(headers.get('location') ?? '', authorizationUrl);
    return back.pathname + back.search;
  }

  /** Publishes a job as a client. */
  publish(posting: { title: string; description: string; skills: string; question?: string }): Promise<Posting> {
    return this.callControl<Posting>('publish', posting);
  }

  /** Submits a proposal as the freelancer; returns its Upwork id. */
  async submit(jobId: string, coverLetter: string, bid: string): Promise<string> {
    return (await this.callControl<{ id: string }>('submit', { jobId, coverLetter, bid })).id;
  }

  async writeMessage(proposalId: string, author: 'client' | 'freelancer', message: string): Promise<void> {
    await this.callControl('write', { proposalId, author, message });
  }

  /** The client makes an offer and the freelancer accepts it. */
  async hire(proposalId: string): Promise<void> {
    await this.callControl('decide', { proposalId, status: 'Hired' });
  }

  private async callControl<T>(command: string, body: Readonly<Record<string, string>> = {}): Promise<T> {
    const answer = await fetch(`${this.url}/control/${command}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`The fake Upwork answered ${answer.status} to ${command}.`);
    return (await answer.json()) as T;
  }
}
