import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { deviceScript, interpret } from "../../tools/espruino.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/objects.ts";

/** The hash is the interpreter's own: what a board would use. */
const NATIVE = 'function nativeSha256(bytes) { return new Uint8Array(require("crypto").SHA256(bytes)); }\n';

describe.skipIf(lacks("espruino"))(
  "revocation lists, firmware announcements and a board's keys in the interpreter",
  () => {
    test("are the same bytes as on Node, and refused in the same words", () => {
      const here: string[] = [];
      program((line) => here.push(line), nodeCrypto.sha256);
      expect(here.filter((line) => line.startsWith("given "))).toHaveLength(2);
      expect(here.filter((line) => /^vsp-provision-refused 1 (crc|kid|closed) refused$/.test(line))).toHaveLength(4);
      const source = 'import { program } from "./programs/objects.ts"; program(say, nativeSha256);';
      expect(interpret(NATIVE + deviceScript("objects", "test/espruino", source, null))).toEqual(here);
    });
  },
);
