import { checkEnvironmentFile } from './environment-file';

const COMPOSE = 'POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}';

/** Returns the details of the warnings about a file. */
function examine(text: string): string[] {
  return checkEnvironmentFile(text, COMPOSE).map(({ level, detail, cure }) => `${level}: ${detail}. Cure: ${cure}`);
}

describe(checkEnvironmentFile.name, () => {
  it('finds nothing in settings, comments, quoted lines, and variables of others', () => {
    const text = `
# A comment
PORT=3000
SECRET_KEY_FILE=x
export LOG_LEVEL = info # why
MAIL_FROM="first
second line
third"
POSTGRES_PASSWORD=x
DATABASE_SUPERUSER_URL=x
HTTPS_PROXY=x
NODE_OPTIONS=x
AWS_REGION=x
TZ=UTC
`;

    expect(examine(text)).toEqual([]);
  });

  it('names every variable that is no setting, and the setting it resembles', () => {
    expect(examine('log_level=debug\nPRT=1\nSMTP_HOST=x\nexport OUR_NAME=y')).toEqual([
      'warning: log_level in .env is no setting; LOG_LEVEL is. Cure: rename log_level to LOG_LEVEL',
      'warning: PRT in .env is no setting; PORT is. Cure: rename PRT to PORT',
      'warning: SMTP_HOST in .env is no setting. Cure: remove it; .env.example has the settings',
      'warning: OUR_NAME in .env is no setting. Cure: remove it; .env.example has the settings',
    ]);
  });

  it('names a line without =, by its number: it may be a secret', () => {
    const [found, ...others] = examine('PORT=1\r\n\nsecret phrase\nREDIS_URL=x\n');

    expect(found).toContain('line 3 of .env has no =, and Node ignores the setting after it');
    expect(found).not.toContain('secret');
    expect(others).toEqual([]);
  });
});
