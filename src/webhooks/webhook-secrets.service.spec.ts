import { generateWebhookSecret, buildSignatureHeaders } from './webhook-secrets.service';

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
