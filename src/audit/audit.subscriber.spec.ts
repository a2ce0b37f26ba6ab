import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import { AuditSubscriber, serializeValues } from './audit.subscriber';
import type { InsertEvent, ObjectLiteral, RemoveEvent, UpdateEvent } from 'typeorm';
import type { Database } from '../platform/database/database';
import type { EntityChange } from '../platform/database/entity-repository';

const typedColumn = (propertyName: string, type: ColumnMetadata['type'], databaseName = propertyName): ColumnMetadata =>
  ({ propertyName, databaseName, type }) as ColumnMetadata;

describe(serializeValues.name, () => {
  it('writes values as to_jsonb() would', () => {
    const columns = [
      typedColumn('cost', 'numeric'),
      typedColumn('at', 'timestamptz'),
      typedColumn('whole', 'timestamptz'),
      typedColumn('isRead', Boolean, 'is_read'),
      typedColumn('tags', 'text'),
      typedColumn('client', 'jsonb'),
      typedColumn('unread', 'text'),
      typedColumn('none', 'numeric'),
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

    expect(serializeValues(entity, columns)).toBe(
      '{"cost":1234567890123456.120,"at":"2026-01-02T03:04:50.12+00:00","whole":"2026-01-02T03:04:50+00:00",' +
        '"is_read":false,"tags":["a \\"b\\""],"client":{"rating":4.5},"unread":null,"none":null}',
    );
  });

  it('never writes malformed decimals as numbers', () => {
    expect(serializeValues({ cost: '1e5,"x":1' }, [typedColumn('cost', 'numeric')])).toBe('{"cost":"1e5,\\"x\\":1"}');
  });
});

const column = (propertyName: string, databaseName = propertyName, rest = {}) => ({
  propertyName,
  databaseName,
  isSelect: true,
  ...rest,
});

const METADATA = {
  tableName: 'jobs',
  columns: [
    column('id'),
    column('isFavorite', 'is_favorite'),
    column('skills'),
    column('version'),
    column('updatedAt', 'updated_at'),
    column('search', 'search', { asExpression: 'to_tsvector(…)' }),
  ],
};

describe(AuditSubscriber.name, () => {
  const subscribe = jest.fn();
  const subscriber = new AuditSubscriber({ subscribe } as unknown as Database);
  let changes: EntityChange[];

  const event = <Event>(values: Record<string, unknown>): Event =>
    ({ metadata: METADATA, queryRunner: { data: { unit: { changes } } }, ...values }) as unknown as Event;

  beforeEach(() => {
    changes = [];
  });

  it('subscribes to the database', () => {
    expect(subscribe).toHaveBeenCalledWith(subscriber);
  });

  it('records all columns of a new row but those the database maintains', () => {
    const entity = { id: 7, isFavorite: true, skills: ['a'], version: 1, updatedAt: new Date(), search: 'x' };

    subscriber.afterInsert(event<InsertEvent<ObjectLiteral>>({ entity }));

    expect(changes).toEqual([
      { table: 'jobs', id: 7, action: 'INSERT', old: null, new: '{"id":7,"is_favorite":true,"skills":["a"]}' },
    ]);
  });

  it('records only the written columns of a change', () => {
    const databaseEntity = { id: 7, isFavorite: false, skills: ['a'], version: 1 };
    const entity = { id: 7, isFavorite: false, skills: ['b'], version: 2 };
    const updatedColumns = METADATA.columns.filter(({ propertyName }) => ['skills', 'version'].includes(propertyName));

    subscriber.afterUpdate(event<UpdateEvent<ObjectLiteral>>({ entity, databaseEntity, updatedColumns }));

    expect(changes).toEqual([
      { table: 'jobs', id: 7, action: 'UPDATE', old: '{"skills":["a"]}', new: '{"skills":["b"]}' },
    ]);
  });

  it('records all columns of a deleted row', () => {
    subscriber.afterRemove(
      event<RemoveEvent<ObjectLiteral>>({ databaseEntity: { id: 7, isFavorite: true, skills: [] } }),
    );

    expect(changes).toEqual([
      { table: 'jobs', id: 7, action: 'DELETE', old: '{"id":7,"is_favorite":true,"skills":[]}', new: null },
    ]);
  });

  it('rejects the removal of a row with columns that are not read', () => {
    const metadata = { ...METADATA, columns: [...METADATA.columns, column('payload', 'payload', { isSelect: false })] };

    expect(() => subscriber.afterRemove(event({ metadata, databaseEntity: { id: 7 } }))).toThrow('use unit.query');
  });

  it('rejects a write outside a unit of work', () => {
    expect(() => subscriber.afterInsert(event({ entity: { id: 7 }, queryRunner: { data: {} } }))).toThrow(
      'outside a unit of work',
    );
  });
});
