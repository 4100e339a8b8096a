/**
 * Bundles a device-side module so that it says which of its functions ran, and counts their bytes.
 *
 * A function's bytes are its own text without the functions inside it. What it names of the variables around it (tables,
 * steps, state) counts with it, as the text of the declaration, again without functions; and what that names.
 */
import { type AnyNode, type Function as FunctionNode, type Identifier, parse } from "acorn";
import { buildSync } from "esbuild";
import { bound, children, declare, declareAll, inside, type Scope } from "./dialect-scope.ts";
import { projectRoot } from "./files.ts";

/** A piece of the bundle's text, and the functions and variables in it that are not it. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly functions: Piece[];
  /** Pieces that its own text names. */
  readonly names: Set<Piece>;
}

/** A module that notes which of its functions run. */
export interface Traced<M> {
  readonly exports: M;
  readonly text: string;
  /** A source map as JSON; empty where minified. */
  readonly map: string;
  /** Every function of the bundle. */
  readonly functions: readonly Piece[];
  /** Those that ran since it was last cleared. */
  readonly ran: Set<Piece>;
}

export type { Piece };

/** What `npx esbuild ENTRY --bundle --minify --format=esm --target=es2015` writes; `external` as its option. */
export function bundle(entry: string, external: readonly string[] = [], minify = true) {
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: projectRoot,
    entryPoints: [entry],
    bundle: true,
    minify,
    format: "esm",
    target: "es2015",
    external: [...external],
    sourcemap: minify ? false : "external",
    outfile: "traced.js",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const text = outputFiles.find(({ path }) => path.endsWith(".js"))?.text ?? "";
  const map = outputFiles.find(({ path }) => path.endsWith(".map"))?.text ?? "";
  return { text, map, inputs: Object.keys(metafile.inputs) };
}

/** Loads `entry` (a path from the project's root) as it is. */
export function load<M>(entry: string, minify = true): M {
  return evaluate<M>(bundle(entry, [], minify).text, [], () => {});
}

/** Loads `entry` so that it says what ran. */
export function trace<M>(entry: string, minify = true): Traced<M> {
  const { text, map } = bundle(entry, [], minify);
  const functions = analyse(text);
  const ran = new Set<Piece>();
  const exports = evaluate<M>(text, functions, (at) => ran.add(functions[at]));
  ran.clear();
  return { exports, text, map, functions, ran };
}

/** Bytes of `pieces` and of what they name, each byte once. The text is ASCII: that is how esbuild writes it. */
export function bytesOf(pieces: Iterable<Piece>): number {
  const counted = new Set(pieces);
  // A set that grows is iterated to its new end.
  for (const { names } of counted) for (const named of names) counted.add(named);
  const own = new Set<number>();
  for (const { start, end, functions } of counted) {
    for (let at = start, next = 0; at < end; at++) {
      if (at === functions[next]?.start) at = functions[next++].end - 1;
      else own.add(at);
    }
  }
  return own.size;
}

/** Runs a bundle's text; `onRun` is called with the place of each of `functions` that runs. */
function evaluate<M>(text: string, functions: readonly Piece[], onRun: (at: number) => void): M {
  const edits: { at: number; text: string; inner: boolean }[] = [];
  functions.forEach((one, i) => {
    const { body } = one as Piece & { body: AnyNode };
    const call = `__ran(${i})`;
    if (body.type === "BlockStatement") edits.push({ at: body.start + 1, text: `${call};`, inner: true });
    else edits.push({ at: body.start, text: `(${call},`, inner: true }, { at: body.end, text: ")", inner: false });
  });
  let code = "";
  let at = 0;
  const program = parse(text, { ecmaVersion: 2015, sourceType: "module" });
  const out = program.body.find((node) => node.type === "ExportNamedDeclaration");
  if (out === undefined) throw new Error("the bundle exports nothing: it has no driver");
  const end = out.start;
  // At one place: closing before opening.
  edits.sort((a, b) => a.at - b.at || Number(a.inner) - Number(b.inner));
  for (const edit of edits) {
    code += text.slice(at, edit.at) + edit.text;
    at = edit.at;
  }
  code += text.slice(at, end);
  for (const { local, exported } of out.specifiers) {
    code += `;__exports[${JSON.stringify((exported as Identifier).name)}]=${(local as Identifier).name}`;
  }
  const exports = {} as M;
  new Function("__ran", "__exports", `"use strict";${code}`)(onRun, exports);
  return exports;
}

const isFunction = (node: AnyNode): node is AnyNode & FunctionNode =>
  /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);

/** Every function of a text, with what it names of the variables around it. */
function analyse(text: string): Piece[] {
  const functions: Piece[] = [];
  /** Variables by the place of their names. */
  const variables = new Map<number, Piece>();
  /** What to resolve when all declarations are known: a name, where it stands, and whose text that is. */
  const uses: { name: string; scope: Scope; by: readonly Piece[] }[] = [];

  const visitAll = (nodes: readonly AnyNode[], scope: Scope, owners: readonly Piece[]) => {
    for (const node of nodes) visit(node, scope, owners);
  };
  /** `owners`: the function and, inside it, the variable whose text this is. */
  const visit = (node: AnyNode, scope: Scope, owners: readonly Piece[]): void => {
    if (isFunction(node)) {
      const piece = { start: node.start, end: node.end, functions: [], names: new Set<Piece>(), body: node.body };
      for (const owner of owners) owner.functions.push(piece);
      functions.push(piece);
      const own = inside(scope, true);
      if (node.type === "FunctionExpression" && node.id) declare(own, node.id);
      for (const name of node.params.flatMap(bound)) declare(own, name);
      if (node.body.type === "BlockStatement") {
        declareAll(own, node.body.body, true);
        visitAll(node.body.body, own, [piece]);
      } else visit(node.body, own, [piece]);
      return;
    }
    switch (node.type) {
      case "Identifier":
        uses.push({ name: node.name, scope, by: owners });
        return;
      case "MemberExpression":
        visit(node.object, scope, owners);
        if (node.computed) visit(node.property, scope, owners);
        return;
      case "Property":
        if (node.computed) visit(node.key, scope, owners);
        visit(node.value, scope, owners);
        return;
      case "VariableDeclarator": {
        const piece = { start: node.start, end: node.end, functions: [], names: new Set<Piece>() };
        for (const name of bound(node.id)) variables.set(name.start, piece);
        if (node.init) visit(node.init, scope, [...owners, piece]);
        return;
      }
      case "BlockStatement":
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
      case "SwitchStatement": {
        const own = inside(scope);
        const first =
          node.type === "BlockStatement"
            ? node.body
            : node.type === "SwitchStatement"
              ? node.cases.flatMap(({ consequent }) => consequent)
              : [node.type === "ForStatement" ? node.init : node.left].filter(
                  (one) => one !== null && one !== undefined,
                );
        declareAll(own, first as AnyNode[], false);
        visitAll(children(node), own, owners);
        return;
      }
      case "ExportNamedDeclaration":
      case "LabeledStatement":
      case "BreakStatement":
      case "ContinueStatement":
        if (node.type === "LabeledStatement") visit(node.body, scope, owners);
        return;
    }
    visitAll(children(node), scope, owners);
  };
  const program = parse(text, { ecmaVersion: 2015, sourceType: "module" });
  const top = inside(null);
  declareAll(top, program.body, true);
  visitAll(program.body, top, []);

  for (const { name, scope, by } of uses) {
    for (let at: Scope | null = scope; at !== null; at = at.outer) {
      const found = at.names.get(name);
      if (found === undefined) continue;
      const variable = variables.get(found.start);
      for (const piece of by) {
        // One of its own counts already.
        if (variable !== undefined && !(variable.start >= piece.start && variable.end <= piece.end)) {
          piece.names.add(variable);
        }
      }
      break;
    }
  }
  return functions;
}
