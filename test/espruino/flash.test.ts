import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEspruinoFlash } from "../../boards/espruino/flash.ts";
import { crc32 } from "../../protocol/crc32.ts";
import { deviceScript, interpret } from "../../tools/espruino.ts";
import { lacks } from "../support/needs.ts";
import { memoryModule, program } from "./programs/flash.ts";

/** The Linux port's flash: 256 KB from here, in pages of 1024 bytes. */
const START = 0x10000000;
const LENGTH = 262144;
const PAGE = 1024;

const here: string[] = [];
program((line) => here.push(line), memoryModule(START, LENGTH, PAGE), crc32, START + 65536);
/** The interpreter's own module and CRC-32: what a board would use. */
const native =
  'function nativeFlash() { return require("Flash"); }\nfunction nativeCrc(bytes) { return E.CRC32(bytes); }\n';
const inInterpreter = (module: string, crc: string) =>
  interpret(
    native +
      deviceScript(
        "flash",
        "test/espruino",
        'import { memoryModule, program } from "./programs/flash.ts"; import { crc32 } from "../../protocol/crc32.ts"; ' +
          `program(say, ${module}, ${crc}, ${START + 65536});`,
      ),
  );

test("on Node the program's storage turned its pages, was cut, and found its damage", () => {
  expect(here.filter((line) => line === "no power").length).toBeGreaterThan(4);
  expect(here.filter((line) => line.startsWith("wear ")).length).toBe(16);
  expect(here.at(-1)).toMatch(/^flash storage: record "boot" at byte \d+ of page \d is damaged/);
  expect(here).toContain("Espruino flash: write 8 bytes at 1020; both are multiples of 4, within a page of 1024");
  expect(here).toContain(
    "Espruino flash: no page of 1024 bytes begins at 268500996; pages are of one size, one behind the other",
  );
});

test("an area that is not free, or not of pages of one size, is refused", () => {
  const module = memoryModule(START, LENGTH, PAGE);
  const taken = { ...module, getFree: () => [{ addr: START, length: 4096 }] };
  expect(createEspruinoFlash(taken, START + 1024, 3).pages).toBe(3);
  for (const [address, pages] of [
    [START + 1024, 4],
    [START + 4096, 1],
    [START, 0],
  ])
    expect(() => createEspruinoFlash(taken, address, pages)).toThrow('are not free by require("Flash").getFree(): [{');
  expect(() => createEspruinoFlash(module, START, 257)).toThrow(`no page of 1024 bytes begins at ${START + LENGTH}`);
  expect(() => createEspruinoFlash(module, 0, 1)).toThrow("no page of 0 bytes begins at 0");
  // The sectors of an STM32F4: four of 16 KB, one of 64.
  const sector = (at: number) => (at < 65536 ? { addr: at & -16384, length: 16384 } : { addr: 65536, length: 65536 });
  const f4 = { ...module, getPage: sector, getFree: () => [{ addr: 0, length: 131072 }] };
  expect(createEspruinoFlash(f4, 16384, 3).pageSize).toBe(16384);
  expect(() => createEspruinoFlash(f4, 16384, 4)).toThrow("no page of 16384 bytes begins at 65536");
});

describe.skipIf(lacks("espruino"))("storage on flash in the interpreter", () => {
  const before = process.cwd();
  const binary = process.env.ESPRUINO_BIN;
  let folder = "";
  // The Linux port keeps its flash in a file of the folder it is started in.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "espruino-flash-"));
    process.env.ESPRUINO_BIN = resolve(binary ?? "");
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(before);
    process.env.ESPRUINO_BIN = binary;
    rmSync(folder, { recursive: true, force: true });
  });

  test("in its memory, with the project's own CRC-32: the same bytes and words as on Node", () => {
    expect(inInterpreter(`memoryModule(${START + 65536}, 8192, ${PAGE})`, "crc32")).toEqual(here);
  });

  test("by its Flash module and its own CRC-32: the same", () => {
    expect(inInterpreter("nativeFlash()", "nativeCrc")).toEqual(here);
  });
});
