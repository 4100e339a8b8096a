/**
 * How much state an object holds: what its functions close over, seen through the engine's own inspector, so that nothing is
 * listed by hand. A typed array counts its bytes; every number, boolean, string, null or undefined that a closure, an object
 * or an array holds counts 8; code and references count nothing. A variable that no function uses is not held.
 */
import { type Runtime, Session } from "node:inspector";

/** Bytes of state that `object` holds and nothing in `shared` (what its module exports) does. Throws Error without an inspector. */
export function stateBytes(object: unknown, shared: readonly unknown[] = []): number {
  const session = new Session();
  session.connect();
  try {
    const count = createCounter(scopesBy(session));
    for (const one of shared) count(one);
    return count(object);
  } finally {
    session.disconnect();
  }
}

type Scope = Readonly<Record<string, unknown>>;

/** A function that counts what it has not met before. */
function createCounter(scopesOf: (code: object) => Scope[]): (value: unknown) => number {
  const met = new Set<unknown>();
  const scopes: { readonly scope: Scope; readonly owner: unknown }[] = [];

  /** The inspector shows a scope as a new object each time: it is the same one where it holds the same. */
  const isNew = (scope: Scope, owner: unknown): boolean => {
    const names = Object.keys(scope);
    const unique = names.some((name) => isReference(scope[name]));
    const same = scopes.some(
      (one) =>
        (unique || one.owner === owner) &&
        Object.keys(one.scope).length === names.length &&
        names.every((name) => name in one.scope && Object.is(one.scope[name], scope[name])),
    );
    if (!same) scopes.push({ scope, owner });
    return !same;
  };

  /** `owner`: whose function a function is. */
  const count = (value: unknown, owner: unknown): number => {
    if (!isReference(value)) return 8;
    if (met.has(value)) return 0;
    met.add(value);
    if (ArrayBuffer.isView(value)) {
      if (met.has(value.buffer)) return 0;
      met.add(value.buffer);
      return value.buffer.byteLength;
    }
    if (typeof value !== "function") return countAll(value as Scope);
    let bytes = 0;
    for (const scope of scopesOf(value)) if (isNew(scope, owner)) bytes += countAll(scope);
    return bytes;
  };
  const countAll = (holder: Scope): number => {
    let bytes = 0;
    for (const { enumerable, get, value } of Object.values(Object.getOwnPropertyDescriptors(holder))) {
      if (enumerable) bytes += count(get ?? value, holder);
    }
    return bytes;
  };
  return (value) => count(value, null);
}

const isReference = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/** The scopes that a function keeps alive, from the inner one on, without the global ones. */
function scopesBy(session: Session): (code: object) => Scope[] {
  /** Where this program and the inspector hand each other objects. */
  const place = Symbol.for("vitalwire state-bytes");
  const desk: { given: unknown; taken: unknown } = { given: null, taken: null };
  Object.defineProperty(globalThis, place, { value: desk, configurable: true, writable: true });
  const name = `globalThis[Symbol.for(${JSON.stringify(place.description)})]`;

  const properties = (objectId: string) => {
    let found: Runtime.GetPropertiesReturnType | null = null;
    // A session on its own thread answers before it returns.
    session.post("Runtime.getProperties", { objectId, ownProperties: true }, (error, answer) => {
      if (error === null) found = answer;
    });
    if (found === null) throw new Error("the inspector of this Node does not answer: its state cannot be counted");
    return found as Runtime.GetPropertiesReturnType;
  };

  return (code) => {
    // What is built in, or bound, closes over nothing that the inspector shows.
    if (Function.prototype.toString.call(code).endsWith("{ [native code] }")) return [];
    desk.given = code;
    let id = "";
    session.post("Runtime.evaluate", { expression: `${name}.given` }, (_error, answer) => {
      id = answer.result.objectId ?? "";
    });
    const list = properties(id).internalProperties?.find((one) => one.name === "[[Scopes]]")?.value?.objectId;
    if (list === undefined) throw new Error("the inspector of this Node shows no scopes: state cannot be counted");
    const scopes: Scope[] = [];
    for (const { value } of properties(list).result) {
      if (value?.objectId === undefined || !/^(?:Closure|Block)\b/.test(value.description ?? "")) continue;
      session.post("Runtime.callFunctionOn", {
        objectId: value.objectId,
        functionDeclaration: `function () { ${name}.taken = this; }`,
      });
      const taken = desk.taken as Scope;
      // Some versions hand over the scope, others a description of it.
      scopes.push("description" in taken && "object" in taken ? (taken.object as Scope) : taken);
    }
    return scopes;
  };
}
