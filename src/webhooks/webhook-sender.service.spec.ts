import {
  AddressRefusedError,
  assertAllowedUrl,
  createPublicLookup,
  generateWebhookSecret,
  buildSignatureHeaders,
} from './webhook-sender.service';

describe(buildSignatureHeaders.name, () => {
  // Example of the Standard Webhooks libraries.
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' };
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

  it('signs as the specification does', () => {
    expect(buildSignatureHeaders(message, [secret])).toEqual({
      'webhook-id': message.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('signs with each secret; the signature depends on id, timestamp and body', () => {
    const [one, two] = buildSignatureHeaders(message, [secret, generateWebhookSecret()])['webhook-signature']!.split(
      ' ',
    );

    expect(one).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    expect(two).toMatch(/^v1,.{44}$/);
    for (const other of [{ id: 'x' }, { timestamp: 1 }, { body: '' }]) {
      expect(buildSignatureHeaders({ ...message, ...other }, [secret])['webhook-signature']).not.toBe(one);
    }
  });
});

describe(generateWebhookSecret.name, () => {
  it('generates 32 new bytes each time', () => {
    const [one, two] = [generateWebhookSecret(), generateWebhookSecret()];

    expect(one).not.toBe(two);
    expect(Buffer.from(one.slice(6), 'base64')).toHaveLength(32);
  });
});

const PUBLIC_ONLY = { isLoopbackAllowed: false };

describe(assertAllowedUrl.name, () => {
  it.each([
    'http://example.com/',
    'ftp://example.com/',
    'https://user:secret@example.com/',
    'http://127.0.0.1:3000/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://10.0.0.1/',
    'https://172.16.4.4/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.0.1/',
    'https://0.0.0.0/',
    'https://255.255.255.255/',
    'https://224.0.0.1/',
    'https://[::1]/',
    'https://[::]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::10.0.0.1]/',
    'https://[2002:a00:1::]/',
    'https://[::a9fe:a9fe]/',
    'https://[::7f00:1]/',
    'https://[::ffff:0:10.0.0.1]/',
    'https://[::ffff:0:93.184.216.34]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[4000::1]/',
    'https://168.63.129.16/',
    'https://[::ffff:168.63.129.16]/',
    'https://[fe80::1%25lo]/',
    'https://[::1%25]/',
    'https://xn--a/',
    'https://0x100000000/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://hooks.localhost/',
    'https://router.local/',
    'https://metadata.google.internal/',
    'https://gateway.home.arpa/',
    'https://intranet/',
    'https://db.test./',
    'not a URL',
  ])('rejects %s', (url) => {
    expect(() => assertAllowedUrl(url, PUBLIC_ONLY)).toThrow(AddressRefusedError);
  });

  it.each([
    'https://example.com/hook?x=1',
    'https://example.com:8443/',
    'https://example.com./',
    'https://local.example/',
    'https://пример.рф/',
    'https://test.localhost.example/',
    'https://shop.contest/',
    'https://93.184.216.34/',
    'https://[::ffff:93.184.216.34]/',
    'https://[2606:2800:220:1::1]/',
  ])('accepts %s', (url) => {
    expect(() => assertAllowedUrl(url, PUBLIC_ONLY)).not.toThrow();
  });

  it('accepts loopback addresses in development, and no others without TLS', () => {
    for (const url of [
      'http://127.0.0.1:9/',
      'http://localhost:9/',
      'http://[::1]:9/',
      'https://localhost/',
      'http://hooks.localhost:9/',
      'http://localhost.:9/',
    ]) {
      expect(() => assertAllowedUrl(url, { isLoopbackAllowed: true })).not.toThrow();
    }
    for (const url of [
      'http://10.0.0.1/',
      'http://example.com/',
      'https://192.168.0.1/',
      'https://169.254.169.254/',
      'https://intranet/',
      'http://router.local/',
    ]) {
      expect(() => assertAllowedUrl(url, { isLoopbackAllowed: true })).toThrow(AddressRefusedError);
    }
  });
});

describe(createPublicLookup.name, () => {
  const lookup = (name: string, policy: { isLoopbackAllowed: boolean }, all: boolean) =>
    new Promise((resolve, reject) => {
      createPublicLookup(policy)(name, { all }, (error, address) => (error ? reject(error) : resolve(address)));
    });

  it('checks the resolved address, not the name', async () => {
    await expect(lookup('localhost', PUBLIC_ONLY, true)).rejects.toThrow(AddressRefusedError);
    await expect(lookup('localhost', PUBLIC_ONLY, false)).rejects.toThrow('public address');
    expect(await lookup('localhost', { isLoopbackAllowed: true }, true)).toContainEqual({
      address: '127.0.0.1',
      family: 4,
    });
  });

  it('passes on resolver errors', async () => {
    await expect(lookup('no-such-name.invalid', PUBLIC_ONLY, true)).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  });
});
