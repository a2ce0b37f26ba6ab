// @ts-check
const { SchematicsException } = require('@angular-devkit/schematics');
const ts = require('typescript');

/** @typedef {import('@angular-devkit/schematics').Tree} Tree */

/**
 * Adds a member to an object or array literal of an existing file, before another member or at the end. An empty
 * literal must be an array.
 * @param {Tree} tree
 * @param {string} path
 * @param {string} variable name of the constant, or a member of the root of a JSON file
 * @param {string} text the new member, without the comma
 * @param {string} [before] name of the member that follows it
 * @throws SchematicsException when the file has no such literal, because it was rewritten without this generator
 */
function addMember(tree, path, variable, text, before) {
  const content = tree.readText(path);
  const source = path.endsWith('.json')
    ? ts.parseJsonText(path, content)
    : ts.createSourceFile(
        path,
        content,
        ts.ScriptTarget.Latest,
        true,
        path.endsWith('.cjs') ? ts.ScriptKind.JS : ts.ScriptKind.TS,
      );
  const literal = findLiteral(source, variable);
  const recorder = tree.beginUpdate(path);
  if (literal && ts.isArrayLiteralExpression(literal) && literal.elements.length === 0) {
    recorder.insertLeft(literal.getEnd() - 1, text);
    return tree.commitUpdate(recorder);
  }
  const members = literal && (ts.isObjectLiteralExpression(literal) ? literal.properties : literal.elements);
  const named = members?.findIndex((member) => getName(member) === before);
  const previous = before === undefined ? members?.at(-1) : members?.[(named ?? 0) - 1];
  if (!literal || !members || !previous) {
    throw new SchematicsException(
      `${path}: cannot add to ${variable}${before ? ` before ${before}` : ''}; nothing was written.`,
    );
  }
  const start = previous.getStart(source);
  const indent = content.slice(content.lastIndexOf('\n', start) + 1, start);
  const isOwnLine = indent.trim() === '';
  const separator = isOwnLine ? `\n${indent}` : ' ';
  recorder.insertLeft(previous.getEnd(), `,${separator}${text.replaceAll('\n', `\n${isOwnLine ? indent : ''}`)}`);
  tree.commitUpdate(recorder);
}

/**
 * Adds an import after the last one.
 * @param {Tree} tree
 * @param {string} path
 * @param {string} text
 */
function addImport(tree, path, text) {
  const content = tree.readText(path);
  const source = ts.createSourceFile(path, content, ts.ScriptTarget.Latest, true);
  const last = source.statements.filter(ts.isImportDeclaration).at(-1);
  const recorder = tree.beginUpdate(path);
  recorder.insertLeft(last?.getEnd() ?? 0, last ? `\n${text}` : `${text}\n`);
  tree.commitUpdate(recorder);
}

/** @param {import('typescript').SourceFile} source @param {string} name */
function findLiteral(source, name) {
  for (const statement of source.statements) {
    if (ts.isExpressionStatement(statement) && ts.isObjectLiteralExpression(statement.expression)) {
      return unwrapLiteral(statement.expression.properties.find((property) => getName(property) === name));
    }
    if (!ts.isVariableStatement(statement)) continue;
    const found = statement.declarationList.declarations.find(
      (declaration) => declaration.name.getText(source) === name,
    );
    if (found) return unwrapLiteral(found);
  }
  return undefined;
}

/**
 * @param {import('typescript').Node | undefined} node
 * @returns {import('typescript').ObjectLiteralExpression | import('typescript').ArrayLiteralExpression | undefined}
 */
function unwrapLiteral(node) {
  if (!node) return undefined;
  if (ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node)) return node;
  if (ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node)) return unwrapLiteral(node.initializer);
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) return unwrapLiteral(node.expression);
  return undefined;
}

/** @param {import('typescript').Node} member @returns {string | undefined} */
function getName(member) {
  const name = ts.isPropertyAssignment(member) ? member.name : undefined;
  return name && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? name.text : undefined;
}

module.exports = { addMember, addImport };
