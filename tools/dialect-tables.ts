/**
 * What Espruino 2v29 has and what each refusal of the device dialect advises. Every entry was tried in the interpreter
 * (test/espruino does it again); DESIGN.md "Device dialect" is the list in words.
 */

/** Globals that a portable device-side module may name: what both Espruino and Node have, and does the same. */
export const globals = new Set([
  ...["Array", "ArrayBuffer", "DataView", "Float32Array", "Float64Array", "Int16Array", "Int32Array", "Int8Array"],
  ...["Uint16Array", "Uint32Array", "Uint8Array", "Uint8ClampedArray", "Boolean", "Date", "Error", "JSON", "Math"],
  ...["Number", "Object", "Promise", "String", "Infinity", "NaN", "undefined", "arguments", "console", "atob", "btoa"],
  ...["decodeURIComponent", "encodeURIComponent", "isFinite", "isNaN", "parseFloat", "parseInt"],
]);

/** Globals that only a board's own files and the composition roots may name: clocks and the interpreter itself. */
export const boardGlobals = new Set([
  "clearInterval",
  "clearTimeout",
  "globalThis",
  "require",
  "setInterval",
  "setTimeout",
]);

/** What may be read of a global object. Math.pow is there, but goes by logarithms: Math.pow(2, 12) is less than 4096. */
export const members: Readonly<Record<string, ReadonlySet<string>>> = {
  Math: new Set(
    (
      "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos asin atan atan2 ceil cos exp floor log max min random " +
      "round sign sin sqrt tan"
    ).split(" "),
  ),
  Number: new Set(["MAX_VALUE", "MIN_VALUE", "NEGATIVE_INFINITY", "NaN", "POSITIVE_INFINITY"]),
  Object: new Set("assign create entries fromEntries getOwnPropertyNames getPrototypeOf keys values".split(" ")),
  Array: new Set(["isArray"]),
  String: new Set(["fromCharCode"]),
  Promise: new Set(["all", "reject", "resolve"]),
  Date: new Set(["now", "parse"]),
  JSON: new Set(["parse", "stringify"]),
  console: new Set(["log"]),
};

/** Global constructors of which nothing is read at all: no `Uint8Array.from`, no `ArrayBuffer.isView`. */
export const closed = /^(?:(?:[A-Z]\w*Array|ArrayBuffer|DataView|Error|Boolean)|is(?:NaN|Finite)|parse\w+)$/;

/** Methods that no object has there, whatever it is. The types refuse further ones where they know the object. */
export const missingMethods = new Set(
  (
    "at codePointAt copyWithin finally findLast findLastIndex flat flatMap lastIndexOf localeCompare matchAll " +
    "reduceRight toExponential toPrecision toReversed toSorted toSpliced trimEnd trimStart"
  ).split(" "),
);

/** Names that a method of a class cannot have there; objects, calls and fields may. */
export const reservedMethods = new Set(
  (
    "break case catch class const continue debugger default delete do else extends false finally for function if in " +
    "instanceof let new null of return static super switch this throw true try typeof undefined var void while"
  ).split(" "),
);

/** Rules and what to do about them. A finding's message adds what was met where that is not plain. */
export const advice = {
  "array-length": "writing length throws there: pop or splice the elements, or keep a count",
  async: "no async or await there: call back, or chain then",
  bigint: "no BigInt there: two 32-bit halves, or a double below 2^53",
  "closure-in-loop": "all turns of a loop share one closure there: make the function above the loop",
  "computed-key": "no computed keys there: assign object[key] afterwards",
  "decimal-literal": "the interpreter reads it with another last bit: write a ratio of integers, as 3 / 8",
  "default-not-last": "no case may follow default there: put default last",
  "default-parameter": "no default parameters there: value ?? fallback in the body",
  destructuring: "no destructuring there: name each field",
  "dynamic-import": "no import() there: import at the top",
  exponent: "no ** there, and Math.pow(10, 3) is not exact: a product, or a table of powers",
  "extends-builtin": "super() of a built-in throws there: new Error(message), then assign fields",
  generator: "no generators there: call back, or keep an index",
  helper: "the bundler needs a helper function for this: write it plainly",
  "import-meta": "no import.meta there: hand in what is needed",
  injected: "clocks and randomness are handed in: take now() and timer() from the board",
  label: "no labels there: return from a function, or a flag",
  lowering: "this cannot be brought down to what the interpreter reads",
  "missing-global": "does not exist there, or is not the same there",
  "missing-member": "does not exist there, or (Math.pow) is not exact",
  "new-target": "no new.target there",
  "private-name": "no #private there: a closure, or a name without #",
  regex: "only characters, classes, *, +, ^, $ and an outermost | are sure there, flags g and i: read the characters",
  "reserved-name": "cannot be a name there: choose another",
  rest: "no rest parameters there: take an array",
  spread: "no spread there (a derived class with fields and no constructor makes one): concat, Object.assign or a loop",
  string: "a character beyond U+FFFF is one there and two here: leave it out",
  syntax: "this does not parse as what the interpreter reads",
  "tagged-template": "no tagged templates there: call the function with a string",
  template: "a template is ended early by a brace in a string, and \\$ does not escape there: join strings with +",
  "used-before-declared": "no hoisting there: declare it above its use",
  var: "var is not hoisted there: let or const",
} as const;

export type DialectRule = keyof typeof advice;
