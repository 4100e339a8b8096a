import { describe, expect, test } from "vitest";
import { advice, closed, globals, members, missingMethods, reservedMethods } from "../../tools/dialect-tables.ts";
import { espruinoReads } from "../../tools/dialect-walk.ts";
import { lacks } from "../support/needs.ts";
import { xorshift } from "./programs/text.ts";
import { interpret } from "./run.ts";

/** What a script tells here, by the language's own rules; an uncaught error is told as "threw". */
function here(script: string): string[] {
  const lines: string[] = [];
  try {
    new Function("say", script)((line: unknown) => lines.push(JSON.parse(JSON.stringify(line))));
  } catch {
    lines.push("threw");
  }
  return lines;
}

/** What it tells in the interpreter. */
function there(script: string): string[] {
  try {
    return interpret(script);
  } catch {
    return ["threw"];
  }
}

/** Each parses in the interpreter and goes wrong there: the rule that refuses it (null: the types do), the script, both outcomes. */
const traps: readonly (readonly [
  rule: keyof typeof advice | "types" | "care",
  name: string,
  script: string,
  here: string,
  there: string,
])[] = [
  [
    "used-before-declared",
    "a function is not lifted to the top of its scope",
    "say(typeof f); function f() {}",
    "function",
    "undefined",
  ],
  [
    "var",
    "a var is not lifted either: an assignment above it makes a global",
    "x = 1; (function () { x = 2; var x; })(); say(x)",
    "1",
    "2",
  ],
  [
    "closure-in-loop",
    "all turns of a for share one closure",
    "const a = []; for (let i = 0; i < 3; i++) a.push(() => i); say(a.map((f) => f()).join())",
    "0,1,2",
    "3,3,3",
  ],
  [
    "closure-in-loop",
    "all turns of a for-of share one closure",
    "const a = []; for (const x of [1, 2]) a.push(() => x); say(a.map((f) => f()).join())",
    "1,2",
    "2,2",
  ],
  [
    "types",
    "slice of a typed array gives a plain Array",
    "say(Array.isArray(new Uint8Array([1]).slice(0)))",
    "false",
    "true",
  ],
  [
    "types",
    "filter of a typed array gives a plain Array",
    "say(new Uint8Array([1]).filter((x) => x) instanceof Uint8Array)",
    "true",
    "false",
  ],
  ["types", "split knows no limit", 'say("a-b".split("-", 1).length)', "1", "2"],
  [
    "extends-builtin",
    "super() of Error throws",
    "class X extends Error { constructor(m) { super(m); } } say(new X('m').message)",
    "m",
    "threw",
  ],
  ["missing-global", "a TypeError is no Error", "say(new TypeError('x') instanceof Error)", "true", "false"],
  ["array-length", "writing length throws", "const a = [1]; a.length = 0; say(a.length)", "0", "threw"],
  ["decimal-literal", "0.75 is not 3 / 4", "say(0.75 === 3 / 4)", "true", "false"],
  ["decimal-literal", "0.3 is not 3 / 10", "say(0.3 === 3 / 10)", "true", "false"],
  ["missing-member", "Math.pow goes by logarithms", "say(Math.pow(2, 12) === 4096)", "true", "false"],
  ["regex", "a count is read as text", 'say(/^a{2}$/.test("aa"))', "true", "false"],
  ["regex", "look-ahead finds nothing", 'say(/a(?=b)/.test("ab"))', "true", "false"],
  ["regex", "an optional group finds nothing", 'say(/^(ab)?c$/.test("abc"))', "true", "false"],
  ["regex", "a word's edge finds nothing", String.raw`say(/\bfoo/.test("foo"))`, "true", "false"],
  ["regex", "the flag m is not heeded", String.raw`say(/^b/m.test("a\nb"))`, "true", "false"],
  ["template", "an escaped dollar does not escape", `const c = 1; say(\`\\\${c}\`.length)`, "4", "1"],
  ["string", "a character beyond U+FFFF is one", String.raw`say("\ud83d\ude00".length)`, "2", "1"],
  [
    "syntax",
    "a field's initial value is one for all objects",
    "class A { a = []; } const p = new A(); p.a.push(1); say(new A().a.length)",
    "0",
    "1",
  ],
  ["care", "Math.round goes away from zero", "say(Math.round(-2.5))", "-2", "-3"],
  ["care", "there is no negative zero", "say(1 / (-0) < 0)", "true", "false"],
  ["care", "numbers print with 11 digits", "say(String(1 / 3).length)", "18", "13"],
  ["care", "subarray does not clamp its end", "say(new Uint8Array(4).subarray(0, 9).length)", "4", "9"],
  ["care", "set beyond the end passes in silence", "new Uint8Array(2).set([1, 2, 3]); say('set')", "threw", "set"],
  [
    "care",
    "DataView reads beyond the end in silence",
    "new DataView(new ArrayBuffer(2)).getUint32(0); say('read')",
    "threw",
    "read",
  ],
  ["care", "a typed array throws at a negative index", "say(new Uint8Array(2)[-1] === undefined)", "true", "threw"],
  [
    "care",
    "keys like integers keep the order of insertion",
    "say(Object.keys({ b: 1, 2: 1, 1: 1 }).join())",
    "1,2,b",
    "b,2,1",
  ],
  [
    "care",
    "static methods are not inherited",
    "class A { static s() { return 1; } } class B extends A {} say(B.s())",
    "1",
    "threw",
  ],
];

/** Each does not parse, or throws at once, in the interpreter. */
const refused: Partial<Record<keyof typeof advice, string>> = {
  async: "const f = async () => 1; say('ran')",
  bigint: "say(typeof 1n)",
  "computed-key": 'const k = "a"; say({ [k]: 1 }.a)',
  "default-not-last": "switch (1) { default: break; case 1: say('one') }",
  "default-parameter": "const f = (a = 1) => a; say(f())",
  destructuring: "const { a } = { a: 1 }; say(a)",
  exponent: "say(2 ** 3)",
  generator: "function* g() { yield 1; } say(g().next().value)",
  label: "a: for (let i = 0; i < 1; i++) { for (;;) continue a; } say('ran')",
  lowering: "const a = { b: 1 }; say(a?.b)",
  "new-target": "function F() { say(new.target === F); } new F()",
  "private-name": "class A { #x = 1; g() { return this.#x; } } say(new A().g())",
  "reserved-name": "const of = 1; say(of)",
  rest: "function f(...a) { return a.length; } say(f(1, 2))",
  spread: "say(Math.max(...[1, 2]))",
  "tagged-template": "const t = (s) => s[0]; say(t`a`)",
  template: `say(\`\${'}'}\`)`,
  "used-before-declared": "say(f()); function f() { return 1; }",
};

describe.skipIf(lacks("espruino"))("the interpreter", () => {
  test.each(traps)("%s: %s", (_rule, _name, script, expectedHere, expectedThere) => {
    expect(here(script).map(String)).toEqual([expectedHere]);
    expect(there(script).map(String)).toEqual([expectedThere]);
  });

  test.each(Object.entries(refused))("does not run what %s refuses: %s", (_rule, script) => {
    expect(here(script)).toHaveLength(1);
    expect(there(script)).toEqual(["threw"]);
  });

  test("every rule that is about the interpreter has been tried in it", () => {
    const tried = new Set<string>([...traps.map(([rule]) => rule), ...Object.keys(refused)]);
    const ofTheHouse = ["helper", "injected", "dynamic-import", "import-meta"];
    expect(Object.keys(advice).filter((rule) => !tried.has(rule) && !ofTheHouse.includes(rule))).toEqual([]);
  });

  test("has every global and member that the dialect allows", () => {
    const names = [...globals].filter((name) => name !== "arguments" && name !== "undefined");
    const paths = [
      ...names,
      ...Object.entries(members).flatMap(([name, known]) => [...known].map((one) => `${name}.${one}`)),
    ];
    const missing = paths.map((path) => `if (typeof ${path} === "undefined") say("${path}");`).join("\n");
    expect(here(missing)).toEqual([]);
    expect(there(missing)).toEqual([]);
  });

  test("lacks the members that the dialect refuses, but for Math.pow and its own extras", () => {
    const builtin = (name: string) => Object.getOwnPropertyNames((globalThis as Record<string, unknown>)[name]);
    const standard = ["length", "name", "prototype"];
    const refusedNames = [...Object.keys(members), ...[...globals].filter((name) => closed.test(name))];
    const paths = refusedNames.flatMap((name) =>
      builtin(name)
        .filter((one) => !members[name]?.has(one) && !standard.includes(one) && /^\w+$/.test(one))
        .map((one) => `${name}.${one}`),
    );
    expect(paths.length).toBeGreaterThan(60);
    const present = there(paths.map((path) => `if (typeof ${path} !== "undefined") say("${path}");`).join("\n"));
    expect(present.sort()).toEqual(
      [
        "Math.pow",
        "Object.defineProperties",
        "Object.defineProperty",
        "Object.getOwnPropertyDescriptor",
        "Object.getOwnPropertyDescriptors",
        "Object.setPrototypeOf",
        "console.debug",
        "console.error",
        "console.info",
        "console.log",
        "console.trace",
        "console.warn",
      ].filter((path) => paths.includes(path)),
    );
  });

  test("lacks the methods that the dialect refuses on any object", () => {
    const objects = ["[1]", '"a"', "(1)", "new Uint8Array(1)", "Promise.resolve(1)"];
    const tries = [...missingMethods].flatMap((name) => objects.map((object) => [object, name] as const));
    const script = tries.map(
      ([object, name]) => `if (typeof ${object}.${name} !== "undefined") say('${object} ${name}');`,
    );
    expect(there(script.join("\n"))).toEqual(['"a" lastIndexOf']);
  });

  test("refuses each reserved name as a method of a class, and only there", () => {
    const names = [...reservedMethods];
    const script = (name: string) =>
      `try { eval("class A { ${name}() { return 1; } } new A().${name}()"); say("${name}"); } catch (e) {}`;
    expect(there(names.map(script).join("\n"))).toEqual([]);
    const asKeys = names.map((name) => `({ ${name}: 1, x() {} }).${name}`).join(" + ");
    expect(there(`say(${asKeys})`).map(String)).toEqual([String(names.length)]);
  });

  test("reads decimal literals as the checker believes", () => {
    const random = xorshift(1);
    const literals = Array.from({ length: 400 }, (_, i) => {
      const value = (random() % 10 ** (1 + (i % 9))) / 10 ** (i % 8);
      return i % 5 === 0 ? value.toExponential() : String(value);
    });
    const script = `const d = new DataView(new ArrayBuffer(8));
      function bits(x) { d.setFloat64(0, x); say(d.getUint32(0) + " " + d.getUint32(4)); }
      ${literals.map((literal) => `bits(${literal});`).join("\n")}`;
    const view = new DataView(new ArrayBuffer(8));
    const believed = literals.map((literal) => {
      view.setFloat64(0, espruinoReads(literal));
      return `${view.getUint32(0)} ${view.getUint32(4)}`;
    });
    expect(there(script)).toEqual(believed);
    expect(literals.some((literal) => espruinoReads(literal) !== Number(literal))).toBe(true);
  });
});
