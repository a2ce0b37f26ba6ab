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

/** Place in an answer, by the names of its fields; list items are `0`. */
type Path = readonly string[];

/** An answer with null at one place where the schema allows it. */
export interface NullVariant {
  readonly where: string;
  readonly data: Record<string, unknown>;
}

/** Builds an answer to a document with a value in every place and one item in every list. */
export function buildFullAnswer(schema: GraphQLSchema, text: string): Record<string, unknown> {
  return new AnswerBuilder(schema, text, undefined).build();
}

/** Builds an answer for each place that may be null. */
export function buildNullVariants(schema: GraphQLSchema, text: string): NullVariant[] {
  const full = new AnswerBuilder(schema, text, undefined);
  full.build();
  return full.nullable.map((where) => ({ where, data: new AnswerBuilder(schema, text, where).build() }));
}

class AnswerBuilder {
  /** Every place that may be null. */
  readonly nullable: string[] = [];

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly text: string,
    /** The place that is null. */
    private readonly nullPlace: string | undefined,
  ) {}

  build(): Record<string, unknown> {
    const [operation] = parse(this.text).definitions;
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('The document has no operation.');
    return this.buildObject(this.schema.getRootType(operation.operation)!, operation.selectionSet, []);
  }

  private buildObject(type: GraphQLObjectType, { selections }: SelectionSetNode, path: Path): Record<string, unknown> {
    const fields = selections.filter((each): each is FieldNode => each.kind === Kind.FIELD);
    return Object.fromEntries(
      fields.map(({ name: { value: name }, selectionSet }) => [
        name,
        this.buildValue(type.getFields()[name]!.type, selectionSet, [...path, name]),
      ]),
    );
  }

  private buildValue(type: GraphQLOutputType, selection: SelectionSetNode | undefined, path: Path): unknown {
    if (isNonNullType(type)) return this.buildPresent(type.ofType, selection, path);
    const place = path.join('.');
    this.nullable.push(place);
    return place === this.nullPlace ? null : this.buildPresent(type, selection, path);
  }

  private buildPresent(type: GraphQLOutputType, selection: SelectionSetNode | undefined, path: Path): unknown {
    if (isListType(type)) return [this.buildValue(type.ofType as GraphQLOutputType, selection, [...path, '0'])];
    if (isObjectType(type)) return this.buildObject(type, selection!, path);
    return buildLeaf(type, path.at(-1)!);
  }
}

/** Returns a value of a type. Instants have no type of their own; their names say what they are. */
function buildLeaf(type: GraphQLOutputType, name: string): unknown {
  const leaf = getNamedType(type);
  if (!isLeafType(leaf)) throw new Error(`${String(type)} has fields.`);
  if (isEnumType(leaf)) return leaf.getValues()[0]!.name;
  if (leaf.name === 'Boolean') return true;
  if (leaf.name === 'Int' || leaf.name === 'Float') return 1;
  return name.endsWith('DateTime') ? '2026-11-20T09:12:00+0000' : '1793525400000';
}
