import { Terminal } from './terminal';
import { showHowToSignIn } from './demo-account';

describe(showHowToSignIn, () => {
  let printed: string;
  beforeEach(() => {
    printed = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });
  afterEach(() => jest.restoreAllMocks());

  const account = { email: 'demo-1f2e3d4c@example.org', password: 'abcdefgh' };

  it.each(['http://127.0.0.1:3000', 'http://localhost:3000', 'http://[::1]:3000'])(
    'prints the address, the password and where to use them at %s',
    (server) => {
      showHowToSignIn(new Terminal(), { server, ...account });

      for (const text of [account.email, account.password, `${server}/docs`, 'POST /v1/auth/login', '"Authorize"'])
        expect(printed).toContain(text);
    },
  );

  it('names the file instead of the password of an account elsewhere', () => {
    showHowToSignIn(new Terminal(), { server: 'https://gigvault.example.com', ...account });

    expect(printed).not.toContain(account.password);
    expect(printed).toContain('demo.json');
  });
});
