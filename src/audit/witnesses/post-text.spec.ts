import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postText } from './post-text';

describe(postText.name, () => {
  let server: Server;
  let url: string;
  let requests: IncomingMessage[];
  let answer: (response: ServerResponse) => void;
  const { signal } = new AbortController();

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request.resume());
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/heads`;
  });
  beforeEach(() => (requests = []));
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('sends a text and returns status, media type and text of the answer', async () => {
    answer = (response) => response.writeHead(409, { 'content-type': 'Text/X.tlog.size; a=b' }).end('7\n');

    expect(await postText(url, 'a text', signal)).toEqual({ status: 409, mediaType: 'text/x.tlog.size', text: '7\n' });
    expect(requests[0]!.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'content-length': '6' });
  });

  it('does not follow a redirect', async () => {
    answer = (response) => response.writeHead(307, { location: url }).end();

    expect(await postText(url, 'a text', signal)).toMatchObject({ status: 307 });
    expect(requests).toHaveLength(1);
  });

  it('ends without an answer in time, and in the middle of one', async () => {
    answer = () => undefined;
    await expect(postText(url, 'a text', signal, 50)).rejects.toThrow('no answer within 0.05 s');
    answer = (response) => response.writeHead(200).write('begun');
    await expect(postText(url, 'a text', signal, 50)).rejects.toThrow('no answer within 0.05 s');
  });

  it('ends with the run', async () => {
    const run = new AbortController();
    answer = () => run.abort(new Error('its worker was stopped'));

    await expect(postText(url, 'a text', run.signal)).rejects.toThrow('its worker was stopped');
  });

  it('refuses an answer above 64 KiB', async () => {
    answer = (response) => response.writeHead(200).end(Buffer.alloc(65_537, 'x'));
    await expect(postText(url, 'a text', signal)).rejects.toThrow('more than 65536 bytes');
    answer = (response) => response.writeHead(200).end(Buffer.alloc(65_536, 'x'));
    expect((await postText(url, 'a text', signal)).text).toHaveLength(65_536);
  });
});
