/** A vacancy as the fake Upwork publishes it. */
export interface Posting {
  readonly id: string;
  readonly title: string;
}

/** What people do on the site of the fake Upwork, which its tests have too: over HTTP, as clients and freelancers. */
export class FakeUpworkClient {
  private constructor(readonly url: string) {}

  /** The fake whose consent page this is; undefined for any other. Only this machine is asked. */
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

  /** Says yes on the consent page and returns the path with which it sends the user back. */
  async consent(authorizationUrl: string): Promise<string> {
    const { headers } = await fetch(authorizationUrl, { redirect: 'manual' });
    const back = new URL(headers.get('location') ?? '', authorizationUrl);
    return back.pathname + back.search;
  }

  publish(posting: { title: string; description: string; skills: string }): Promise<Posting> {
    return this.callControl<Posting>('publish', posting);
  }

  /** The freelancer submits a proposal; returns its id there. */
  async submit(jobId: string, coverLetter: string, bid: string): Promise<string> {
    return (await this.callControl<{ id: string }>('submit', { jobId, coverLetter, bid })).id;
  }

  async writeMessage(proposalId: string, author: 'client' | 'freelancer', message: string): Promise<void> {
    await this.callControl('write', { proposalId, author, message });
  }

  async accept(proposalId: string): Promise<void> {
    await this.callControl('decide', { proposalId, status: 'Accepted' });
  }

  private async callControl<T>(act: string, body: Readonly<Record<string, string>> = {}): Promise<T> {
    const answer = await fetch(`${this.url}/control/${act}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the fake Upwork answered ${answer.status} to ${act}`);
    return (await answer.json()) as T;
  }
}
