import { Kind, parse, print, visit, type ASTNode, type ASTVisitor, type FieldNode } from 'graphql';

/** A document with one change that the schema does not allow. */
export interface Mutant {
  readonly change: string;
  readonly text: string;
}

/** A kind of change: returns the changed nodes that can replace a node, each with its description. */
type Mutation = (node: ASTNode) => readonly (readonly [change: string, node: ASTNode])[];

const rename = <Node extends { readonly name: { readonly value: string } }>(node: Node): Node => ({
  ...node,
  name: { ...node.name, value: `${node.name.value}Renamed` },
});

const named = (value: string) => ({ kind: Kind.NAME, value }) as const;
const typeNamed = (value: string) => ({ kind: Kind.NAMED_TYPE, name: named(value) }) as const;
const fieldNamed = (value: string): FieldNode => ({ kind: Kind.FIELD, name: named(value) });

const MUTATIONS: readonly Mutation[] = [
  (node) => (node.kind === Kind.FIELD ? [['field renamed', rename(node)]] : []),
  (node) => (node.kind === Kind.ARGUMENT ? [['argument renamed', rename(node)]] : []),
  (node) => (node.kind === Kind.OBJECT_FIELD ? [['input field renamed', rename(node)]] : []),
  (node) => (node.kind === Kind.ENUM ? [['enum word changed', { ...node, value: `${node.value}_CHANGED` }]] : []),
  changeSelection,
  changeVariableType,
  moveArgumentDown,
  moveInputFieldUp,
];

/** Builds every document that differs from this one in one place, by each kind of change. */
export function buildMutants(text: string): Mutant[] {
  const document = parse(text);
  const nodes: ASTNode[] = [];
  visit(document, { enter: (node) => void nodes.push(node) });
  return nodes.flatMap((node) =>
    MUTATIONS.flatMap((mutate) => mutate(node)).map(([change, changed]) => ({
      change: `${change}: ${print(node).split('\n', 1)[0]}`,
      text: print(visit(document, { enter: (each) => (each === node ? changed : undefined) } as ASTVisitor)),
    })),
  );
}

/** Removes the fields of an object, or asks for fields of a value. */
function changeSelection(node: ASTNode): ReturnType<Mutation> {
  if (node.kind !== Kind.FIELD) return [];
  if (node.selectionSet) return [['fields of an object removed', { ...node, selectionSet: undefined }]];
  const selectionSet = { kind: Kind.SELECTION_SET, selections: [fieldNamed('id')] } as const;
  return [['fields of a value added', { ...node, selectionSet }]];
}

function changeVariableType(node: ASTNode): ReturnType<Mutation> {
  if (node.kind !== Kind.VARIABLE_DEFINITION) return [];
  const { type } = node;
  return [
    ['type changed to a list', { ...node, type: { kind: Kind.LIST_TYPE, type } }],
    ['type changed', { ...node, type: typeNamed('Boolean') }],
    ...(type.kind === Kind.NON_NULL_TYPE ? [['type made nullable', { ...node, type: type.type }] as const] : []),
  ];
}

/** Moves each argument of a field to the first field inside it. */
function moveArgumentDown(node: ASTNode): ReturnType<Mutation> {
  if (node.kind !== Kind.FIELD || !node.selectionSet) return [];
  const { arguments: args = [], selectionSet } = node;
  const [first, ...others] = selectionSet.selections;
  if (first?.kind !== Kind.FIELD) return [];
  return args.map((moved) => {
    const selections = [{ ...first, arguments: [moved] }, ...others];
    const rest = args.filter((arg) => arg !== moved);
    return ['argument moved down', { ...node, arguments: rest, selectionSet: { ...selectionSet, selections } }];
  });
}

/** Moves each field of an argument's value beside the argument. */
function moveInputFieldUp(node: ASTNode): ReturnType<Mutation> {
  if (node.kind !== Kind.FIELD) return [];
  const { arguments: args = [] } = node;
  return args.flatMap((arg) => {
    const { value } = arg;
    if (value.kind !== Kind.OBJECT) return [];
    return value.fields.map((moved) => {
      const fields = value.fields.filter((each) => each !== moved);
      const raised = { kind: Kind.ARGUMENT, name: moved.name, value: moved.value } as const;
      const others = args.filter((each) => each !== arg);
      const changed = { ...node, arguments: [...others, { ...arg, value: { ...value, fields } }, raised] };
      return ['argument moved up', changed] as const;
    });
  });
}
