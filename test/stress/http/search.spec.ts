import { readListingArgument, stressSearch, splitWords } from './search';

describe(stressSearch.name, () => {
  it('finds each word of a listing’s titles and skills, and excludes it as -word', async () => {
    const csv = `Job Title,Skills
"React/Node.js developer","Node.js, C++"
"UI/UX designer for C# and .NET","Shopify/Liquid, 3D"
"日本語 翻訳 (Café), e-commerce",N/A
`;
    const result = await stressSearch(csv);

    expect(result).toMatchObject({ titles: 3, skills: 5, missed: [], missedCount: 0 });
    expect(result.wordsTried).toBeGreaterThan(20);
  });
});

describe(splitWords.name, () => {
  it('returns runs of letters, digits, + and #, and whole tokens', () => {
    expect(splitWords('React/Node.js, C++ & "C#" – 3.5')).toEqual([
      'react',
      'node',
      'js',
      'c++',
      'c#',
      '3',
      '5',
      'react/node.js',
      '3.5',
    ]);
  });
});

describe(readListingArgument.name, () => {
  it('reads a file only if one is named', () => {
    expect(readListingArgument(['search'])).toBeUndefined();
    expect(() => readListingArgument(['search', '--file'])).toThrow('--file needs the path');
  });
});
