import { readUpworkListing } from './csv-columns';

const read = (cells: Record<string, string>): Record<string, unknown> =>
  readUpworkListing({ 'Job Title': 'A', 'Hourly/Fixed': 'N/A', Budget: 'N/A', Level: 'N/A', Skills: 'N/A', ...cells });

describe(readUpworkListing.name, () => {
  it.each([
    ['Fixed price', { jobType: 'fixed' }],
    ['Hourly', { jobType: 'hourly' }],
    ['Hourly: $25.00 - $35.00', { jobType: 'hourly', hourlyRateMin: '25.00', hourlyRateMax: '35.00' }],
    ['Hourly: $1,025.00 - $1,035.50', { jobType: 'hourly', hourlyRateMin: '1025.00', hourlyRateMax: '1035.50' }],
    ['Hourly: $40.00', { jobType: 'hourly', hourlyRateMin: '40.00', hourlyRateMax: '40.00' }],
    ['FIXED PRICE', { jobType: 'fixed' }],
    ['Fixed-price', { jobType: 'fixed' }],
    ['hourly: $25.00–$35.00', { jobType: 'hourly', hourlyRateMin: '25.00', hourlyRateMax: '35.00' }],
    ['N/A', {}],
    ['', {}],
  ])('reads payment %j', (cell, expected) => {
    const { title: _title, experienceLevel: _level, skills: _skills, ...payment } = read({ 'Hourly/Fixed': cell });

    expect(payment).toEqual(expected);
  });

  it.each([
    ['Est. budget:\n$1,000.00', '1000.00'],
    ['Est. budget: $50', '50'],
    ['$75.50', '75.50'],
    ['N/A', undefined],
  ])('reads budget %j', (cell, amount) => {
    const { budgetMin, budgetMax } = read({ Budget: cell });

    expect([budgetMin, budgetMax]).toEqual([amount, amount]);
  });

  it.each([
    ['SQL, Node.js , ,C++', ['SQL', 'Node.js', 'C++']],
    ['SQL, +3', ['SQL']],
    ['+3', []],
    ['+3, SQL', ['+3', 'SQL']],
    ['N/A', []],
  ])('reads skills %j', (cell, expected) => {
    expect(read({ Skills: cell }).skills).toEqual(expected);
  });

  it.each([
    ['Hourly/Fixed', 'hourly: 5'],
    ['Hourly/Fixed', 'Hourly: $5.00 - '],
    ['Budget', '$1.2.3'],
    ['Budget', '$1,50'],
    ['Budget', '$1,2,3'],
    ['Hourly/Fixed', 'Hourly: $1,5 - $20'],
    ['Budget', 'Est. budget: 5'],
    ['Level', 'Master'],
    ['Level', 'toString'],
  ])('refuses %s %j', (column, cell) => {
    expect(() => read({ [column]: cell })).toThrow(column);
  });
});
