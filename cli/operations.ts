/** The operations of a command in words, for a person who types one. */
import { operations, type Parameter } from "../protocol/messages/ops.ts";

/** "current=0..102 mA", "[channel=0..63]" */
export function usageOf({ name, kind, unit, lowest, highest, required }: Parameter): string {
  // As wide as it may be: the channel's birth says what its raw values are.
  const isRaw = unit === "raw";
  const value = kind === "bytes" ? "HEX|@FILE" : kind === "text" ? "TEXT" : isRaw ? "RAW" : `${lowest}..${highest}`;
  const words = `${name}=${value}${unit === "" || isRaw ? "" : ` ${unit}`}`;
  return required ? words : `[${words}]`;
}

/** What follows `vitalwire command --help`: every operation with its arguments. */
export function operationsHelp(): string {
  const lines = operations().map(({ op, name, parameters }) =>
    [`  ${String(op).padStart(2)}  ${name}`, ...parameters.map(usageOf)].join("  "),
  );
  return ["", "OP, by number or name, and its ARGUMENTS (RAW: a raw value of the channel):", ...lines].join("\n");
}
