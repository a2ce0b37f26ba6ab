import { accepts } from './request-hooks';

const JSON_TYPES = ['application/json', 'application/problem+json'];

describe(accepts.name, () => {
  it.each([
    ['*/*', true],
    ['application/*', true],
    ['Application/JSON', true],
    ['application/json; charset=utf-8', true],
    ['application/problem+json', true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['application/xml;q=0.9, application/json;q=0.001', true],
    ['', true],
    ['nonsense', true],
    ['application/xml', false],
    ['text/*', false],
    ['text/event-stream', false],
    ['application/json;q=0, application/problem+json; q=0.0', false],
    ['*/*;q=0', false],
    ['application/*;q=0, */*', false],
  ])('%j allows JSON: %s', (header, isAllowed) => {
    expect(accepts(header, JSON_TYPES)).toBe(isAllowed);
  });
});
