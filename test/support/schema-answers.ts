import {
  getNamedType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';

/** Place of a value in an answer. */
export interface AnswerPlace {
  /** Names of fields from the root, with dots; list items are `0`. */
  readonly path: string;
  /** Type and field, such as `Money.currency`. */
  readonly field: string;
}

/** Builds an answer from its parts, from the leaves to the root. */
export interface AnswerBuilder<Part> {
  object(fields: Readonly<Record<string, Part>>): Part;
  list(item: Part): Part;
  leaf(type: GraphQLOutputType, place: AnswerPlace): Part;
  /** Builds a value that may be null. */
  optional(value: Part, place: AnswerPlace): Part;
  /** Builds a value that the schema requires. */
  required(value: Part): Part;
}

/** Builds an answer to a document by the types of the schema. */
export function buildAnswer<Part>(schema: GraphQLSchema, text: string, builder: AnswerBuilder<Part>): Part {
  const [operation] = parse(text).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('The document has no operation.');
  return new AnswerWalk(builder).object(schema.getRootType(operation.operation)!, operation.selectionSet, '');
}

class AnswerWalk<Part> {
  constructor(private readonly builder: AnswerBuilder<Part>) {}

  object(type: GraphQLObjectType, { selections }: SelectionSetNode, path: string): Part {
    const fields = selections.filter((each): each is FieldNode => each.kind === Kind.FIELD);
    const values = fields.map(({ name: { value: name }, selectionSet }) => {
      const place = { path: path === '' ? name : `${path}.${name}`, field: `${type.name}.${name}` };
      return [name, this.value(type.getFields()[name]!.type, selectionSet, place)] as const;
    });
    return this.builder.object(Object.fromEntries(values));
  }

  private value(type: GraphQLOutputType, selection: SelectionSetNode | undefined, place: AnswerPlace): Part {
    return isNonNullType(type)
      ? this.builder.required(this.present(type.ofType, selection, place))
      : this.builder.optional(this.present(type, selection, place), place);
  }

  private present(type: GraphQLOutputType, selection: SelectionSetNode | undefined, place: AnswerPlace): Part {
    if (isObjectType(type)) return this.object(type, selection!, place.path);
    if (!isListType(type)) return this.builder.leaf(type, place);
    const item = { ...place, path: `${place.path}.0` };
    return this.builder.list(this.value(type.ofType as GraphQLOutputType, selection, item));
  }
}

/** An answer with null at one place where the schema allows it. */
export interface NullVariant {
  readonly where: string;
  readonly data: Record<string, unknown>;
}

/** Builds an answer to a document with a value in every place and one item in every list. */
export function buildFullAnswer(schema: GraphQLSchema, text: string): Record<string, unknown> {
  return buildWithNull(schema, text, undefined);
}

/** Builds an answer for each place that may be null. */
export function buildNullVariants(schema: GraphQLSchema, text: string): NullVariant[] {
  const places: string[] = [];
  buildWithNull(schema, text, undefined, ({ path }) => places.push(path));
  return places.map((where) => ({ where, data: buildWithNull(schema, text, where) }));
}

/** Builds an answer with a value in every place but one. */
function buildWithNull(
  schema: GraphQLSchema,
  text: string,
  nullPath: string | undefined,
  onOptional: (place: AnswerPlace) => void = () => undefined,
): Record<string, unknown> {
  const answer = buildAnswer<unknown>(schema, text, {
    object: (fields) => fields,
    list: (item) => [item],
    leaf: buildLeaf,
    optional: (value, place) => {
      onOptional(place);
      return place.path === nullPath ? null : value;
    },
    required: (value) => value,
  });
  return answer as Record<string, unknown>;
}

/** Returns a value of a type. Instants have no type of their own; their names say what they are. */
function buildLeaf(type: GraphQLOutputType, { field }: AnswerPlace): unknown {
  const leaf = getNamedType(type);
  if (!isLeafType(leaf)) throw new Error(`${String(type)} has fields.`);
  if (isEnumType(leaf)) return leaf.getValues()[0]!.name;
  if (leaf.name === 'Boolean') return true;
  if (leaf.name === 'Int' || leaf.name === 'Float') return 1;
  return field.endsWith('DateTime') ? '2026-11-20T09:12:00+0000' : '1793525400000';
}
