/** Returns whether a value of this type is a promise, or a list of promises. */
function holdsPromise(checker, type) {
  if (type.isUnion()) return type.types.some((part) => holdsPromise(checker, part));
  if (checker.isArrayType(type) || checker.isTupleType(type)) {
    return checker.getTypeArguments(type).some((item) => holdsPromise(checker, item));
  }
  return type.getProperty('then') !== undefined;
}

/** Returns the innermost function around a node, or its program. */
function functionAround(node) {
  let around = node.parent;
  while (around.parent && !/Function/.test(around.type)) around = around.parent;
  return around;
}

/**
 * Reports a promise that is kept in a variable during another `await`: when that one throws, the kept promise's error
 * is unhandled and ends the process. Await both with Promise.all, or use `markHandled` of src/platform/concurrency.
 */
const noPromiseOverAwait = {
  meta: {
    type: 'problem',
    messages: {
      kept:
        'If the await in between throws, nobody handles the error of {{name}}: ' +
        'await both with Promise.all, or use markHandled of src/platform/concurrency.',
    },
    schema: [],
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    const checker = services.program.getTypeChecker();
    const assigned = [];
    const awaits = [];

    const keep = (name, value, node) => {
      if (name.type !== 'Identifier' || !value || value.type === 'AwaitExpression') return;
      if (value.type === 'CallExpression' && value.callee.name === 'markHandled') return;
      assigned.push({ name, value, node });
    };
    const isPromise = ({ value }) => holdsPromise(checker, services.getTypeAtLocation(value));
    const isKeptOver = ({ name, node }) => {
      if (!awaits.some((each) => each.range[0] > node.range[1])) return false;
      const scope = context.sourceCode.getScope(name);
      const variable = scope.references.find(({ identifier }) => identifier === name)?.resolved;
      const uses = variable?.references.filter((use) => use.isRead() && use.identifier.range[0] > node.range[1]) ?? [];
      const firstUse = Math.min(...uses.map(({ identifier }) => identifier.range[0]));
      return awaits.some(
        (each) =>
          each.range[0] > node.range[1] && each.range[1] < firstUse && functionAround(each) === functionAround(node),
      );
    };
    return {
      VariableDeclarator: (node) => keep(node.id, node.init, node),
      AssignmentExpression: (node) => keep(node.left, node.right, node),
      AwaitExpression: (node) => void awaits.push(node),
      'Program:exit': () => {
        // A type costs much more than a position, so only the few values kept over an await have theirs computed.
        for (const each of assigned.filter(isKeptOver).filter(isPromise)) {
          context.report({ node: each.node, messageId: 'kept', data: { name: each.name.name } });
        }
      },
    };
  },
};

/** The rules of this repository. */
export const rules = { 'no-promise-over-await': noPromiseOverAwait };
