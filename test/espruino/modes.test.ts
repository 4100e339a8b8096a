import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { deviceScript, interpret } from "../../tools/espruino.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/modes.ts";
import { program as sealer } from "./programs/sealer.ts";

/** The hash is the interpreter's own: what a board would use. */
const NATIVE = 'function nativeSha256(bytes) { return new Uint8Array(require("crypto").SHA256(bytes)); }\n';

describe.skipIf(lacks("espruino"))("keys of a boot, modes M and E, and manifests in the interpreter", () => {
  test("are the same bytes as on Node, on the interpreter's own SHA-256, and refuse the same damage in the same words", () => {
    const here: string[] = [];
    program((line) => here.push(line), nodeCrypto.sha256);
    expect(here.length).toBeGreaterThan(120);
    expect(here.filter((line) => line === "d2g mac 17 true").length).toBeGreaterThan(0);
    const source = 'import { program } from "./programs/modes.ts"; program(say, nativeSha256);';
    expect(interpret(NATIVE + deviceScript("modes", "test/espruino", source, null))).toEqual(here);
  });

  test("so are the sealer in its four forms, both ways, manifests, and boots with what their storage keeps", () => {
    const here: string[] = [];
    sealer((line) => here.push(line), nodeCrypto.sha256);
    expect(here.filter((line) => line.startsWith("boot "))).toHaveLength(4);
    expect(here.filter((line) => line.startsWith("manifest "))).toHaveLength(3);
    expect(here.filter((line) => / takes \d: [0-9a-f]/.test(line)).map((line) => line.slice(0, 9))).toEqual([
      "0 takes 0",
      "1 takes 0",
      "1 takes 1",
      "2 takes 2",
      "3 takes 2",
      "3 takes 3",
    ]);
    expect(here.filter((line) => line.endsWith("changed"))).toEqual([]);
    const source = 'import { program } from "./programs/sealer.ts"; program(say, nativeSha256);';
    expect(interpret(NATIVE + deviceScript("sealer", "test/espruino", source, null))).toEqual(here);
  });
});
