import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { deviceScript, interpret } from "../../tools/espruino.ts";
import { lacks } from "../support/needs.ts";
import { program as outbox } from "./programs/outbox.ts";
import { program as runtime } from "./programs/outbox-runtime.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

const told = runOnNode(outbox, null);
const sealed: string[] = [];
runtime((line) => sealed.push(line), nodeCrypto.sha256);
const starting = (lines: readonly string[], start: string) => lines.filter((line) => line.startsWith(start));

test("on Node the outbox told what had to go, what the power took and what rotted, and read back all that was left", () => {
  const tells = starting(told, "tells ");
  expect(tells.filter((line) => / for 1$/.test(line)).length).toBeGreaterThan(5);
  const ends = tells.flatMap(
    (line) => /^tells 1:(\d+)\.\.4294967295 for 2 alive 89\d00 within 5000$/.exec(line)?.[1] ?? [],
  );
  expect(ends).toHaveLength(1);
  const end = Number(ends[0]);
  expect(end).toBeGreaterThan(90);
  expect(tells.filter((line) => /^tells 1:(\d+)\.\.\1 for 3$/.test(line))).toHaveLength(1);
  expect(starting(told, "no power")).toHaveLength(2);
  for (const kind of ["vital", "event", "manifest", "birth", "data"])
    expect(starting(told, `read ${kind} 1:`).length, kind).toBeGreaterThan(0);
  expect(starting(told, "unsigned 1:28=28 1:31=31 ")).toHaveLength(1);
  // all of boot 1 that was durable, and not settled or gone, is read in the boot after
  const seqOf = (line: string) => Number(line.split(/[ :]/)[3]);
  const read = new Set(starting(told, "read ").map(seqOf));
  for (let seq = end - 24; seq < end - 1; seq++) expect(read.has(seq), `seq ${seq}`).toBe(true);
});

test("on Node the runtime took up in its second boot what the first had left, and nothing waits at the end", () => {
  expect(starting(sealed, "d data 1:").length).toBeGreaterThan(10);
  expect(starting(sealed, "d manifest 2:").length).toBeGreaterThan(3);
  expect(starting(sealed, "gone 1:34 4294967262 for 2")).toHaveLength(1);
  expect(starting(sealed, "gone 1:1 ")).toHaveLength(1);
  expect(sealed).toContain("no power");
  expect(sealed.at(-1)).toMatch(/^true \d+ \d+ 0 2: -1 1: -1$/);
});

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("the outbox writes the same bytes to flash, and says the same of them through a power cut", () => {
    expect(runOnEspruino("outbox")).toEqual(told);
  });

  test("the runtime over a log seals and sends the same messages, before a power cut and after it", () => {
    const native = 'function nativeSha256(bytes) { return new Uint8Array(require("crypto").SHA256(bytes)); }\n';
    const source = 'import { program } from "./programs/outbox-runtime.ts"; program(say, nativeSha256);';
    expect(interpret(native + deviceScript("outbox-runtime", "test/espruino", source, null))).toEqual(sealed);
  });
});
