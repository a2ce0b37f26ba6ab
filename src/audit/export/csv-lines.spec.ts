import { formatCsvLine } from './csv-lines';

describe(formatCsvLine.name, () => {
  it('separates and quotes cells as RFC 4180 says', () => {
    expect(formatCsvLine(['a', 1, true, null, 'b,c', 'say "x"', 'two\nlines'])).toBe(
      'a,1,true,,"b,c","say ""x""","two\nlines"\r\n',
    );
  });

  it.each(['=1+1', '+1', '-1', '@SUM(1)', '\t=1', '\r=1', '  =1', '＝1'])('does not let %j be a formula', (text) => {
    expect(formatCsvLine([text])).toMatch(/^"?'/);
  });

  it('leaves other texts unchanged', () => {
    expect(formatCsvLine(['1-2', 'a=b', '', '[redacted]', -5])).toBe('1-2,a=b,,[redacted],-5\r\n');
  });
});
