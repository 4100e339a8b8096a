/**
 * Counts what an interpreter has to do: the one program behind every figure "statements a sample".
 *
 * The module is bundled as for the board (ES2015, not minified), so a `?.` counts as what it is lowered to. Then:
 * - each statement that is executed counts 1: declarations with let, const, var and class, expressions, if, switch, try,
 *   return, throw, break, continue, and a loop itself, once;
 * - each test of a while, do or for loop counts 1, the last, false one too; a turn of a loop without a test (for-of,
 *   for-in, `for (;;)`) counts 1;
 * - an arrow function's bare expression counts 1, as the return that it is;
 * - nothing else counts: blocks, empty statements, labels, function declarations, directives, the init and update of a
 *   for, the operands of `?:`, `&&`, `||`, `??`, the code of built-in functions.
 *
 * `node --import tsx tools/count-statements.ts` prints the figures of the codecs; `vitalwire bench dsp` those of firmware/dsp.
 */
import { type AnyNode, type Expression, parse, type Statement } from "acorn";
import { buildSync } from "esbuild";
import { deviceTarget } from "./device-dialect.ts";
import { children } from "./dialect-scope.ts";
import { projectRoot, runMain } from "./files.ts";

/** The number of statements executed since it was last set to 0. */
export interface Counter {
  statements: number;
}

/** A module that counts. */
export interface Counted<M> {
  readonly exports: M;
  readonly counter: Counter;
}

const tick = "__counter.statements++";
const notCounted = /^(?:BlockStatement|EmptyStatement|FunctionDeclaration|(?:Im|Ex)port\w+)$/;

/**
 * Rewrites an ES2015 module without imports into the body of a function of `__counter` and `__exports` that does the same,
 * counts in `__counter.statements`, and puts what the module exports into `__exports`.
 * Throws SyntaxError where `source` is not ES2015, Error where it imports or exports in another way than `export { … }`.
 */
export function instrument(source: string): string {
  const edits: { at: number; order: number; text: string }[] = [];
  const insert = (at: number, text: string) => edits.push({ at, order: edits.length, text });
  const removed: { start: number; end: number }[] = [];

  /** Statements one after another. */
  const list = (statements: readonly AnyNode[]) => {
    for (const statement of statements) {
      let inner = statement;
      while (inner.type === "LabeledStatement") inner = inner.body;
      const directive = inner.type === "ExpressionStatement" && "directive" in inner && inner.directive;
      if (!notCounted.test(inner.type) && !directive) insert(statement.start, `${tick};`);
      visit(inner);
    }
  };
  /** The one statement of an if, a loop or a label; `turn` counts once more, before it. */
  const only = (statement: Statement, turn = false) => {
    if (statement.type === "BlockStatement") {
      if (turn) insert(statement.start + 1, `${tick};`);
      visit(statement);
      return;
    }
    insert(statement.start, turn ? `{${tick};` : "{");
    list([statement]);
    insert(statement.end, "}");
  };
  const expression = (node: Expression) => {
    insert(node.start, `(${tick},`);
    visit(node);
    insert(node.end, ")");
  };

  const visit = (node: AnyNode): void => {
    switch (node.type) {
      case "Program":
      case "BlockStatement":
        list(node.body);
        return;
      case "SwitchCase":
        if (node.test) visit(node.test);
        list(node.consequent);
        return;
      case "IfStatement":
        visit(node.test);
        only(node.consequent);
        if (node.alternate) only(node.alternate);
        return;
      case "WhileStatement":
      case "DoWhileStatement":
        if (node.type === "WhileStatement") expression(node.test);
        only(node.body);
        if (node.type === "DoWhileStatement") expression(node.test);
        return;
      case "ForStatement":
        if (node.init) visit(node.init);
        if (node.test) expression(node.test);
        if (node.update) visit(node.update);
        only(node.body, !node.test);
        return;
      case "ForInStatement":
      case "ForOfStatement":
        visit(node.left);
        visit(node.right);
        only(node.body, true);
        return;
      case "ArrowFunctionExpression":
        for (const parameter of node.params) visit(parameter);
        if (node.body.type === "BlockStatement") visit(node.body);
        else expression(node.body);
        return;
      case "ExportNamedDeclaration": {
        if (node.source || node.declaration) break;
        const names = node.specifiers.map(({ local, exported }) => {
          const from = local.type === "Identifier" ? local.name : "";
          return `__exports[${JSON.stringify(exported.type === "Identifier" ? exported.name : exported.value)}]=${from};`;
        });
        removed.push(node);
        insert(node.start, names.join(""));
        return;
      }
    }
    if (/^(?:Im|Ex)port/.test(node.type)) throw new Error(`${node.type} at ${node.start}: bundle the module first`);
    for (const child of children(node)) visit(child);
  };
  visit(parse(source, { ecmaVersion: 2015, sourceType: "module" }));

  edits.sort((a, b) => a.at - b.at || a.order - b.order);
  let output = '"use strict";';
  let at = 0;
  for (const edit of edits) {
    output += source.slice(at, edit.at) + edit.text;
    at = removed.find(({ start }) => start === edit.at)?.end ?? edit.at;
  }
  return output + source.slice(at);
}

/** Bundles the device-side module `entry` (a path from the project's root) and loads it so that it counts. */
export function loadCounted<M>(entry: string): Counted<M> {
  const { outputFiles } = buildSync({
    ...deviceTarget,
    absWorkingDir: projectRoot,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false, verbatimModuleSyntax: true } },
  });
  const counter: Counter = { statements: 0 };
  const exports = {} as M;
  new Function("__counter", "__exports", instrument(outputFiles[0]?.text ?? ""))(counter, exports);
  counter.statements = 0;
  return { exports, counter };
}

/** Statements that `run` makes the module `entry` execute, loading it left out, and what `run` returned. */
export function countStatements<M, R>(options: {
  readonly entry: string;
  readonly run: (exports: M) => R;
}): { readonly statements: number; readonly result: R } {
  const { exports, counter } = loadCounted<M>(options.entry);
  const result = options.run(exports);
  return { statements: counter.statements, result };
}

/** A block of a synthetic electrocardiogram, in codes of a 24-bit converter: beats on a wandering base line, with noise. */
export function syntheticBlock(samples: number, rate: number, seed: number): Int32Array {
  const block = new Int32Array(samples);
  let state = seed >>> 0;
  for (let i = 0; i < samples; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const noise = state / 2 ** 32 - 1 / 2;
    const phase = ((i / rate) * 72) / 60;
    const beat = Math.exp(-(((phase % 1) - 1 / 4) ** 2) / (2 * 0.012 ** 2));
    block[i] = Math.round(9000 * beat + 800 * Math.sin((2 * Math.PI * i) / (rate * 4)) + 60 * noise);
  }
  return block;
}

interface SamplesModule {
  encodeSamples(codec: number, samples: Int32Array, start: number, n: number): Uint8Array;
}

function main(): number {
  const entry = "protocol/samples.ts";
  const samples = 256;
  for (const codec of [0, 1, 2]) {
    const { statements } = countStatements({
      entry,
      run: ({ encodeSamples }: SamplesModule) => encodeSamples(codec, syntheticBlock(samples, samples, 1), 0, samples),
    });
    const cost = (statements / samples).toFixed(1).padStart(8);
    console.log(`${cost} statements a sample: encode a block of ${samples} samples, codec ${codec} (${entry})`);
  }
  return 0;
}

runMain(import.meta.url, main);
