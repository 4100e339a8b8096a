/** Runs a device-side module in a real Espruino interpreter and on Node, to hold one against the other. */
import { deviceScript, interpret } from "../../tools/espruino.ts";
import type { Conversation } from "./programs/replay.ts";

export { interpret };

/** What a module under programs/ exports: the same work on both sides, told line by line. */
export type Program = (print: (line: string) => void) => void;

const folder = "test/espruino";

/**
 * Bundles programs/NAME.ts as for a board, with `data` for what it is given, and runs it in the interpreter.
 * Throws Error where the bundle is not in the device dialect.
 */
export function runOnEspruino(name: string, data: unknown = null): string[] {
  const source = `import { program } from "./programs/${name}.ts"; program(say, DATA);`;
  return interpret(deviceScript(name, folder, source, data));
}

/** Feeds the driver of a folder of drivers/ what a chip answered (programs/replay.ts), in the interpreter. */
export function replayOnEspruino(chip: string, conversations: readonly Conversation[]): string[] {
  const source =
    `import { chip } from "../../drivers/${chip}/chip.ts"; import { replay } from "./programs/replay.ts"; ` +
    "replay(chip, say, DATA);";
  return interpret(deviceScript(chip, folder, source, conversations));
}

/** The same with what a board carries: its driver.ts alone; each conversation's configuration is a setup. */
export function replayDriverOnEspruino(chip: string, conversations: readonly Conversation[]): string[] {
  const source =
    `import { createDriver } from "../../drivers/${chip}/driver.ts"; ` +
    'import { replay } from "./programs/replay.ts"; replay({ create: createDriver }, say, DATA);';
  return interpret(deviceScript(chip, folder, source, conversations));
}

/** Runs the same program here. */
export function runOnNode<D>(program: (print: (line: string) => void, data: D) => void, data: D): string[] {
  const lines: string[] = [];
  program((line) => lines.push(line), data);
  return lines;
}
