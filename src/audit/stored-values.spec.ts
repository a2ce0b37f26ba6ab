import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import { storedValues } from './stored-values';

const column = (propertyName: string, type: ColumnMetadata['type'], databaseName = propertyName): ColumnMetadata =>
  ({ propertyName, databaseName, type }) as ColumnMetadata;

describe(storedValues.name, () => {
  it('writes values as to_jsonb() would', () => {
    const columns = [
      column('cost', 'numeric'),
      column('at', 'timestamptz'),
      column('whole', 'timestamptz'),
      column('isRead', Boolean, 'is_read'),
      column('tags', 'text'),
      column('client', 'jsonb'),
      column('unread', 'text'),
      column('none', 'numeric'),
    ];
    const entity = {
      cost: '1234567890123456.120',
      at: new Date('2026-01-02T03:04:50.120Z'),
      whole: new Date('2026-01-02T03:04:50.000Z'),
      isRead: false,
      tags: ['a "b"'],
      client: { rating: 4.5 },
      none: null,
    };

    expect(storedValues(entity, columns)).toBe(
      '{"cost":1234567890123456.120,"at":"2026-01-02T03:04:50.12+00:00","whole":"2026-01-02T03:04:50+00:00",' +
        '"is_read":false,"tags":["a \\"b\\""],"client":{"rating":4.5},"unread":null,"none":null}',
    );
  });

  it('never writes as a number what is none', () => {
    expect(storedValues({ cost: '1e5,"x":1' }, [column('cost', 'numeric')])).toBe('{"cost":"1e5,\\"x\\":1"}');
  });
});
