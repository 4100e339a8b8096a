/**
 * Finds every import of a module by its tokens, type-only ones included, without a compiler.
 *
 * A small tokenizer knows comments, strings, templates and regular expressions. Where the text alone cannot say what a
 * slash means, it refuses to guess. Brackets must balance. So what it cannot read is an error, never a silence.
 */

/** One reference to another module. `specifier` is null where it is computed at run time. */
export interface Import {
  readonly specifier: string | null;
  /** Where the statement begins, counted from 1. */
  readonly line: number;
  readonly typeOnly: boolean;
}

interface Token {
  readonly kind: "word" | "number" | "string" | "template" | "regex" | "punctuation";
  readonly text: string;
  readonly line: number;
  /** On a closing parenthesis: the word before its opening one. */
  readonly before?: string | undefined;
}

/** The text cannot be read. `line` is counted from 1. */
export class ScanError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const closes: Record<string, string> = { ")": "(", "]": "[", "}": "{" };
const beforeRegex = new Set(
  "return typeof case in of instanceof new delete void throw do else yield await default".split(" "),
);
const beforeBody = new Set(["if", "while", "for", "with"]);

/** Whether the token at `at` ends an operand, so that a slash on `line` divides. */
function endsOperand(tokens: readonly Token[], at: number, line: number): boolean {
  const token = tokens[at];
  if (token === undefined) return false;
  if (token.kind !== "punctuation") {
    return token.kind !== "word" || !beforeRegex.has(token.text) || tokens[at - 1]?.text === ".";
  }
  if (token.text === ")") return !beforeBody.has(token.before ?? "");
  if (token.text === "]" || token.text === "++" || token.text === "--") return true;
  if (token.text === "!") return endsOperand(tokens, at - 1, line);
  if (token.text === "}" || token.text === ">") {
    throw new ScanError(line, `"/" after "${token.text}" may divide or begin a regular expression: name it first`);
  }
  return false;
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const open: { bracket: string; line: number; before: string | undefined }[] = [];
  let at = 0;
  let line = 1;
  const fail = (message: string): never => {
    throw new ScanError(line, message);
  };
  const push = (kind: Token["kind"], text: string, before?: string) => {
    tokens.push({ kind, text, line, before });
    for (const character of text) if (character === "\n") line++;
    at += text.length;
  };
  /** The text from `at` that a sticky expression matches. */
  const match = (expression: RegExp): string | undefined => {
    expression.lastIndex = at;
    return expression.exec(source)?.[0];
  };
  const template = () => {
    const text = match(/[`}](?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y) ?? fail("a template without an end");
    const start = line;
    push("template", text);
    if (text.endsWith("${")) open.push({ bracket: "${", line: start, before: undefined });
  };
  if (source.startsWith("#!")) at = source.indexOf("\n") < 0 ? source.length : source.indexOf("\n");
  while (at < source.length) {
    const character = source[at] as string;
    const next = source[at + 1];
    if (/\s/.test(character)) {
      if (character === "\n") line++;
      at++;
    } else if (character === "/" && next === "/") {
      const text = match(/\/\/.*/y) as string;
      if (/^\/\/\/\s*<(reference|amd)/.test(text)) fail("a reference comment names a module unseen: import it");
      at += text.length;
    } else if (character === "/" && next === "*") {
      const text = match(/\/\*[\s\S]*?\*\//y) ?? fail("a comment without an end");
      line += text.split("\n").length - 1;
      at += text.length;
    } else if (character === '"' || character === "'") {
      const text = match(/"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y) ?? fail("a string without an end");
      push("string", text);
    } else if (character === "`") {
      template();
    } else if (character === "/" && !endsOperand(tokens, tokens.length - 1, line)) {
      const text = match(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y);
      push("regex", text ?? fail("a regular expression without an end"));
    } else if (/[\w$\u0080-\uffff]/.test(character)) {
      const text = match(/[\w$\u0080-\uffff]+/y) as string;
      push(/[0-9]/.test(character) ? "number" : "word", text);
    } else if ("([{".includes(character)) {
      open.push({ bracket: character, line, before: tokens.at(-1)?.text });
      push("punctuation", character);
    } else if (")]}".includes(character)) {
      const opening = open.pop();
      if (character === "}" && opening?.bracket === "${") {
        template();
      } else {
        if (opening?.bracket !== closes[character]) fail(`"${character}" closes nothing`);
        push("punctuation", character, opening?.before);
      }
    } else if (character === "\\") {
      fail("an escape in a name: write the letter");
    } else {
      push("punctuation", match(/\.\.\.|=>|\+\+|--|[\s\S]/y) as string);
    }
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) throw new ScanError(unclosed.line, `"${unclosed.bracket}" is never closed`);
  return tokens;
}

function literal(token: Token): string {
  if (token.text.includes("\\")) throw new ScanError(token.line, `an escape in the module's name ${token.text}`);
  return token.text.slice(1, -1);
}

/**
 * Every module that `source` names: `import`, `import type`, `export … from`, `import()` as value and as type,
 * `require()`, `createRequire()`, `new URL("…", import.meta.url)` of a module.
 * Throws ScanError where the text cannot be read without guessing.
 */
export function scanImports(source: string): Import[] {
  const tokens = tokenize(source);
  const found: Import[] = [];
  const text = (at: number) => (tokens[at]?.kind === "string" ? "a string" : (tokens[at]?.text ?? ""));
  const add = (at: number, token: Token | undefined, typeOnly = false) => {
    const line = (tokens[at] as Token).line;
    found.push({ specifier: token?.kind === "string" ? literal(token) : null, line, typeOnly });
  };
  /** What stands between the parentheses that open at `at`, when it is one string and perhaps options. */
  const argument = (at: number) =>
    text(at) === "(" && (text(at + 2) === ")" || text(at + 2) === ",") ? tokens[at + 1] : undefined;
  /** After `import` or `export` at `at`: names up to `from` and a string. Returns false where this is no such clause. */
  const clause = (at: number) => {
    const typed =
      text(at + 1) === "type" && (text(at + 2) !== "from" || text(at + 3) === "from") && text(at + 2) !== ",";
    for (let i = at + 1; i < tokens.length; i++) {
      if (text(i) === "from" && text(i + 1) === "a string") {
        add(at, tokens[i + 1], typed);
        return true;
      }
      const partOfClause = tokens[i]?.kind === "word" || tokens[i]?.kind === "string" || "{},*".includes(text(i));
      if (!partOfClause || (text(i) === "}" && text(i + 1) !== "from")) return false;
    }
    return false;
  };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (token.kind !== "word" || text(at - 1) === ".") continue;
    const next = text(at + 1);
    if (token.text === "import") {
      if (next === "(") add(at, argument(at + 1));
      else if (next === "a string") add(at, tokens[at + 1]);
      else if (next === "." && text(at + 4) === "resolve") add(at, argument(at + 5));
      else if (next !== "." && next !== ":" && !clause(at) && !(text(at + 2) === "=" || text(at + 3) === "=")) {
        throw new ScanError(token.line, `"import" followed by "${next}" is no import that is known here`);
      }
    } else if (token.text === "export") {
      if (next === "*" || next === "{" || (next === "type" && "*{".includes(text(at + 2)))) {
        if (!clause(at) && next === "*") throw new ScanError(token.line, `"export *" without a module`);
      }
    } else if (token.text === "require" && next === "(") {
      add(at, argument(at + 1));
    } else if (token.text === "require" && next === ".") {
      if (text(at + 2) === "resolve") add(at, argument(at + 3));
    } else if (token.text === "createRequire" && next === "(") {
      const made =
        tokens
          .slice(at + 1, at + 8)
          .map((one) => one.text)
          .join("") === "(import.meta.url)"
          ? at + 8
          : 0;
      add(at, made === 0 ? undefined : argument(text(made) === "." && text(made + 1) === "resolve" ? made + 2 : made));
    } else if (token.text === "new" && next === "URL" && text(at + 4) === "," && text(at + 5) === "import") {
      const target = tokens[at + 3] as Token;
      if (/\.[cm]?[jt]sx?["']$/.test(target.text)) add(at, target);
    }
  }
  return found;
}
