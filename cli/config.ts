/** YAML configuration, checked: an error names the file, the line and the key. */
import { existsSync, readFileSync } from "node:fs";
import { isMap, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { UsageError } from "./usage.ts";

/** Reads and checks a file. Throws UsageError with every fault, a line each. */
export function readConfig<T>(path: string, schema: z.ZodType<T>): T {
  if (!existsSync(path)) throw new UsageError(`configuration ${path}: no such file`);
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, "utf8"), { lineCounter: lines });
  const at = (offset: number | undefined) => (offset === undefined ? path : `${path}:${lines.linePos(offset).line}`);
  if (document.errors.length > 0) {
    throw new UsageError(
      document.errors.map((error) => `${at(error.pos[0])}: ${error.message.split("\n")[0]}`).join("\n"),
    );
  }
  const checked = schema.safeParse(document.toJS() ?? {});
  if (checked.success) return checked.data;
  /** Where the node stands, or the nearest one around it. */
  const offsetOf = (keys: readonly PropertyKey[]): number | undefined => {
    for (let length = keys.length; length > 0; length--) {
      const parent = length === 1 ? document.contents : document.getIn(keys.slice(0, length - 1), true);
      const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(keys[length - 1])) : undefined;
      const node = (pair?.key ?? document.getIn(keys.slice(0, length), true)) as { range?: [number] } | undefined;
      if (node?.range) return node.range[0];
    }
    return undefined;
  };
  const faults = checked.error.issues.flatMap((issue) => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys : [];
    if (unknown.length > 0) {
      return unknown.map((key) => `${at(offsetOf([...issue.path, key]))}: there is no setting "${key}" here`);
    }
    return [`${at(offsetOf(issue.path))}: ${issue.path.join(".") || "the file"}: ${issue.message}`];
  });
  throw new UsageError(faults.join("\n"));
}
