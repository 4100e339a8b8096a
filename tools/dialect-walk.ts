/** Walks a syntax tree and refuses what is not in the device dialect. device-dialect.ts feeds it. */
import type { AnyNode, Identifier, Literal, Program, TemplateLiteral } from "acorn";
import { bound, children, declare, declareAll, inside, lookUp, type Scope } from "./dialect-scope.ts";
import {
  boardGlobals,
  closed,
  type DialectRule,
  globals,
  members,
  missingMethods,
  reservedMethods,
} from "./dialect-tables.ts";

/** One refusal. `start` is an offset in the text that was parsed; `what` names what was met. */
export interface Refusal {
  readonly rule: DialectRule;
  readonly start: number;
  readonly what: string;
}

export interface WalkOptions {
  /** The file is a board's own, or a composition root: it may name the interpreter's globals, clocks and randomness. */
  readonly board: boolean;
  /** The text has been lowered: temporary variables of the bundler are `var` at the top of a function. */
  readonly lowered: boolean;
}

/** The number that Espruino reads in a decimal literal: digit by digit, each times a tenth of the last, as doubles. */
export function espruinoReads(raw: string): number {
  const [mantissa = "", exponent = "0"] = raw.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  let value = 0;
  for (const digit of whole) value = value * 10 + Number(digit);
  let weight = 1 / 10;
  for (const digit of fraction) {
    value += weight * Number(digit);
    weight /= 10;
  }
  for (let left = Number(exponent); left > 0; left--) value *= 10;
  for (let left = Number(exponent); left < 0; left++) value /= 10;
  return value;
}

const loops = new Set(["ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement"]);
const builtins =
  /^(?:[A-Z]\w*Error|Error|[A-Z]\w*Array|Array|ArrayBuffer|DataView|Promise|Function|Object|RegExp|Date)$/;

/** The plain name of a member or key: `a.b`, `a["b"]`. */
function keyName(key: AnyNode, computed: boolean): string | undefined {
  if (key.type === "Literal" && typeof key.value === "string") return key.value;
  return key.type === "Identifier" && !computed ? key.name : undefined;
}

/** Everything in `program`, parsed from `source`, that is not in the dialect. In the order of the text. */
export function refusals(program: Program, options: WalkOptions): Refusal[] {
  const found: Refusal[] = [];
  const refuse = (rule: DialectRule, node: { start: number }, what = "") => {
    found.push({ rule, start: node.start, what });
  };

  const named = (ids: readonly (Identifier | null | undefined)[]) => {
    for (const id of ids) if (id?.name === "of") refuse("reserved-name", id, `"of" `);
  };

  const reference = (node: Identifier, scope: Scope) => {
    const meaning = lookUp(scope, node.name, node.start);
    if (meaning === "early") refuse("used-before-declared", node, `"${node.name}" `);
    if (meaning !== "free" || globals.has(node.name)) return;
    if (options.board && (boardGlobals.has(node.name) || !(node.name in globalThis))) return;
    refuse(/Timeout|Interval/.test(node.name) ? "injected" : "missing-global", node, `${node.name} `);
  };

  const member = (object: AnyNode, name: string | undefined, node: AnyNode, scope: Scope) => {
    if (name === "BYTES_PER_ELEMENT") refuse("missing-member", node, `${name} `);
    if (name === undefined || object.type !== "Identifier") return;
    if (lookUp(scope, object.name, object.start) !== "free") return;
    const whole = `${object.name}.${name} `;
    if (name !== "BYTES_PER_ELEMENT" && (closed.test(object.name) || members[object.name]?.has(name) === false))
      refuse("missing-member", node, whole);
    else if (!options.board && (whole === "Math.random " || whole === "Date.now ")) refuse("injected", node, whole);
  };

  const literal = (node: Literal) => {
    if (node.bigint !== undefined) refuse("bigint", node);
    else if (node.regex) {
      const plain = node.regex.pattern.replace(/\\[^bBkpPuxc0-9]/g, "x").replace(/\[[^\]]*\]/g, "x");
      if (/[\\(){}?]/.test(plain) || !/^[gi]*$/.test(node.regex.flags)) refuse("regex", node, `${node.raw} `);
    } else if (typeof node.value === "number") {
      const raw = node.raw ?? "";
      const decimal = !/^0[xob]/i.test(raw);
      const exact = Number.isInteger(node.value * 2 ** 20) && espruinoReads(raw) === node.value;
      if (decimal && !exact) refuse("decimal-literal", node, `${raw} `);
    } else if (typeof node.value === "string" && /[\ud800-\udfff]/.test(node.value)) refuse("string", node);
  };

  const template = (node: TemplateLiteral) => {
    for (const { value } of node.quasis) {
      if (/\\\$/.test(value.raw)) refuse("template", node);
      if (/[\ud800-\udfff]/.test(value.cooked ?? "")) refuse("string", node);
    }
    const braced = (inner: AnyNode): boolean =>
      (inner.type === "Literal" && /[{}]/.test(inner.raw ?? "")) ||
      (inner.type === "TemplateElement" && /[{}]/.test(inner.value.raw)) ||
      children(inner).some(braced);
    if (node.expressions.some(braced)) refuse("template", node);
  };

  const visitAll = (nodes: readonly (AnyNode | null | undefined)[], scope: Scope, inLoop: boolean) => {
    for (const node of nodes) if (node) visit(node, scope, inLoop);
  };

  const visit = (node: AnyNode, scope: Scope, inLoop: boolean): void => {
    if (loops.has(node.type)) {
      const inner = inside(scope);
      declareAll(
        inner,
        children(node).filter(({ type }) => type === "VariableDeclaration"),
        false,
      );
      for (const child of children(node)) {
        const once = "right" in node && child === node.right;
        visit(child, inner, once ? inLoop : true);
      }
      return;
    }
    switch (node.type) {
      case "Identifier":
        reference(node, scope);
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression": {
        if (inLoop) refuse("closure-in-loop", node);
        if (node.generator) refuse("generator", node);
        if (node.async) refuse("async", node);
        const inner = inside(scope, true);
        if (node.id && node.type === "FunctionExpression") declare(inner, node.id);
        const parameters = node.params.flatMap(bound);
        named([node.id, ...parameters]);
        for (const id of parameters) declare(inner, id);
        for (const parameter of node.params) {
          if (parameter.type === "AssignmentPattern") refuse("default-parameter", parameter);
          else if (parameter.type === "RestElement") refuse("rest", parameter);
          else if (parameter.type !== "Identifier") refuse("destructuring", parameter);
        }
        if (node.body.type === "BlockStatement") {
          declareAll(inner, node.body.body, true);
          visitAll(node.body.body, inner, false);
        } else visit(node.body, inner, false);
        return;
      }
      case "BlockStatement":
      case "StaticBlock":
      case "SwitchStatement": {
        const inner = inside(scope);
        if (node.type === "SwitchStatement") {
          const last = node.cases.at(-1);
          for (const one of node.cases) if (one.test === null && one !== last) refuse("default-not-last", one);
        }
        declareAll(
          inner,
          node.type === "SwitchStatement" ? node.cases.flatMap((one) => one.consequent) : node.body,
          false,
        );
        visitAll(children(node), inner, inLoop);
        return;
      }
      case "CatchClause": {
        const inner = inside(scope);
        const caught = node.param ? bound(node.param) : [];
        named(caught);
        for (const id of caught) declare(inner, id);
        if (node.param && node.param.type !== "Identifier") refuse("destructuring", node.param);
        visit(node.body, inner, inLoop);
        return;
      }
      case "VariableDeclaration":
        if (node.kind === "var" && !options.lowered) refuse("var", node);
        else if (!/^(?:var|let|const)$/.test(node.kind)) refuse("helper", node, `${node.kind}: `);
        for (const { id, init } of node.declarations) {
          named(bound(id));
          if (id.type !== "Identifier") refuse("destructuring", id);
          else if (options.lowered && id.name.startsWith("__")) refuse("helper", node, `${id.name}: `);
          if (init) visit(init, scope, inLoop);
        }
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        named([node.id]);
        if (node.superClass?.type === "Identifier" && builtins.test(node.superClass.name))
          refuse("extends-builtin", node.superClass);
        visitAll([node.superClass, node.body], scope, inLoop);
        return;
      case "MemberExpression":
        if (node.property.type === "PrivateIdentifier") refuse("private-name", node.property);
        member(node.object, keyName(node.property, node.computed), node, scope);
        visitAll([node.object, node.computed ? node.property : null], scope, inLoop);
        return;
      case "Property":
      case "PropertyDefinition":
      case "MethodDefinition": {
        const name = keyName(node.key, node.computed);
        if (node.key.type === "PrivateIdentifier") refuse("private-name", node.key);
        if (node.computed) refuse("computed-key", node.key);
        if (node.type === "MethodDefinition" && name && reservedMethods.has(name))
          refuse("reserved-name", node, `"${name}" `);
        if (node.type === "Property" && node.kind !== "init" && name === "of")
          refuse("reserved-name", node, `"${name}" `);
        visitAll([node.computed ? node.key : null, node.value], scope, inLoop);
        return;
      }
      case "AssignmentExpression":
      case "UpdateExpression": {
        const target = node.type === "UpdateExpression" ? node.argument : node.left;
        if (target.type === "MemberExpression" && keyName(target.property, target.computed) === "length")
          refuse("array-length", node);
        if (target.type === "ObjectPattern" || target.type === "ArrayPattern") refuse("destructuring", target);
        if (node.operator === "**=") refuse("exponent", node);
        break;
      }
      case "CallExpression": {
        const { callee } = node;
        const name = callee.type === "MemberExpression" ? keyName(callee.property, callee.computed) : undefined;
        const [first] = node.arguments;
        const ofText = name === "lastIndexOf" && first?.type === "Literal" && typeof first.value === "string";
        if (name !== undefined && missingMethods.has(name) && !ofText) refuse("missing-member", node, `.${name}() `);
        break;
      }
      case "NewExpression":
        if (
          node.callee.type === "Identifier" &&
          node.callee.name === "Date" &&
          node.arguments.length === 0 &&
          !options.board
        ) {
          refuse("injected", node, "new Date() ");
        }
        break;
      case "ExportNamedDeclaration":
        if (node.source) return;
        break;
      case "ExportSpecifier":
        visit(node.local, scope, inLoop);
        return;
      case "ExportAllDeclaration":
      case "BreakStatement":
      case "ContinueStatement":
        return;
      case "ImportDeclaration":
        named(node.specifiers.map(({ local }) => local));
        return;
      case "LabeledStatement":
        refuse("label", node);
        visit(node.body, scope, inLoop);
        return;
      case "MetaProperty":
        refuse(node.meta.name === "new" ? "new-target" : "import-meta", node);
        return;
      case "Literal":
        literal(node);
        return;
      case "TemplateLiteral":
        template(node);
        break;
      case "TaggedTemplateExpression":
        refuse("tagged-template", node);
        break;
      case "BinaryExpression":
        if (node.operator === "**") refuse("exponent", node);
        break;
      case "SpreadElement":
        refuse("spread", node);
        break;
      case "AwaitExpression":
        refuse("async", node);
        break;
      case "ImportExpression":
        refuse("dynamic-import", node);
        break;
    }
    visitAll(children(node), scope, inLoop);
  };

  const top = inside(null);
  declareAll(top, program.body, true);
  visitAll(program.body, top, false);
  return found;
}
