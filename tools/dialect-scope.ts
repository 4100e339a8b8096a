/** Names and where they are declared, over acorn's tree. dialect-walk.ts asks. */
import type { AnyNode, Identifier } from "acorn";

/** A declared name: where, and whether a JavaScript engine would lift it to the top of its scope. */
interface Declared {
  readonly start: number;
  readonly hoisted: boolean;
}

/** Where names live: a block, a function, the module. `level` counts functions around it. */
export interface Scope {
  readonly names: Map<string, Declared>;
  readonly outer: Scope | null;
  readonly level: number;
}

/** A scope inside `outer`; one level deeper where it is a function's. */
export function inside(outer: Scope | null, isFunction = false): Scope {
  return { names: new Map(), outer, level: outer === null ? 0 : outer.level + (isFunction ? 1 : 0) };
}

const functions = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

/** The nodes directly below one. */
export function children(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((value): value is AnyNode => typeof (value as AnyNode | null)?.type === "string");
}

/** The names that a pattern binds. */
export function bound(pattern: AnyNode): Identifier[] {
  if (pattern.type === "Identifier") return [pattern];
  if (pattern.type === "MemberExpression") return [];
  if (pattern.type === "Property") return bound(pattern.value);
  if (pattern.type === "AssignmentPattern") return bound(pattern.left);
  return children(pattern).flatMap(bound);
}

/** Puts a name into a scope; the first declaration counts. */
export function declare(scope: Scope, { name, start }: { name: string; start: number }, hoisted = false): void {
  if (!scope.names.has(name)) scope.names.set(name, { start, hoisted });
}

/** Puts what a list of statements declares into a scope; the `var`s in nested statements too where `hoist`. */
export function declareAll(scope: Scope, statements: readonly AnyNode[], hoist: boolean): void {
  for (const statement of statements) {
    if (statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration") {
      if (statement.declaration) declareAll(scope, [statement.declaration], false);
    } else if (statement.type === "ImportDeclaration") {
      for (const { local } of statement.specifiers) declare(scope, { name: local.name, start: -1 });
    } else if (statement.type === "VariableDeclaration") {
      for (const id of statement.declarations.flatMap((one) => bound(one.id))) declare(scope, id);
    } else if (statement.type === "FunctionDeclaration" || statement.type === "ClassDeclaration") {
      if (statement.id) declare(scope, statement.id, statement.type === "FunctionDeclaration");
    } else if (hoist && !functions.has(statement.type)) {
      const nested = children(statement).filter(
        (node) =>
          !/^(?:Class|Function)/.test(node.type) && (node.type !== "VariableDeclaration" || node.kind === "var"),
      );
      declareAll(scope, nested, true);
    }
  }
}

/**
 * What a name at `start` in `scope` means: `free`, `declared`, or `early`: declared further down. What a function names
 * runs later, so it may name a later const, let or class (a bundler makes them var), as both engines then agree; never a later
 * function, which only one of them lifts.
 */
export function lookUp(scope: Scope, name: string, start: number): "free" | "declared" | "early" {
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const found = at.names.get(name);
    if (found !== undefined) {
      return start < found.start && (found.hoisted || scope.level === at.level) ? "early" : "declared";
    }
  }
  return "free";
}
