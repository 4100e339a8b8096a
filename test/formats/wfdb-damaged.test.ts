import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import {
  decodeRecord,
  encodeRecord,
  parseHeader,
  physical,
  readRecordSync,
  writeRecordSync,
} from "../../formats/index.ts";
import { anyRecord } from "./records.ts";

fc.configureGlobal({ seed: 20240229 }); // the same cases every time

const folders: string[] = [];
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "vitalwire-wfdb-"));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe("damaged and hostile records", () => {
  const good = encodeRecord({ name: "r", rate: 10, signals: [{ samples: Int32Array.of(1, 2, 3), format: 212 }] });

  test("a changed byte shows in the checksum", () => {
    const bytes = Uint8Array.from(good.files.get("r.dat")!);
    bytes[0]! ^= 1;
    expect(() => decodeRecord(parseHeader(good.header), new Map([["r.dat", bytes]]))).toThrow(
      /checksum is 5, the header says 6/,
    );
  });

  test("a checksum written without its sign is the same checksum", () => {
    const header = "r 1 10 1\nd 16 1 16 0 -1 65535 0 x\n";
    expect(decodeRecord(parseHeader(header), new Map([["d", Uint8Array.of(255, 255)]])).signals[0]?.samples[0]).toBe(
      -1,
    );
  });

  test("the checksum counts all 16 bits, and is written with its sign (header(5))", () => {
    const bytes = Uint8Array.from(good.files.get("r.dat")!);
    bytes[1]! ^= 1; // 0x100 more
    const files = new Map([["r.dat", bytes]]);
    expect(() => decodeRecord(parseHeader(good.header), files)).toThrow("checksum is 262, the header says 6");
    const samples = Int32Array.of(-32768, 32767, 32767, 2);
    expect(encodeRecord({ name: "r", rate: 1, signals: [{ samples }] }).header).toContain(" 16 0 -32768 -32768 0");
  });

  test("a file that is too short, too long or missing is refused with its size", () => {
    const header = parseHeader(good.header);
    const read = (bytes: Uint8Array | null) => decodeRecord(header, new Map(bytes === null ? [] : [["r.dat", bytes]]));
    expect(() => read(new Uint8Array(4))).toThrow("r.dat: 4 bytes, but 3 frames in format 212 need 5; it is truncated");
    expect(() => read(new Uint8Array(7))).toThrow("r.dat: 7 bytes, but 3 frames in format 212 take 5");
    expect(() => read(null)).toThrow("signal file r.dat is missing");
  });

  test("padding of an odd format 212 file to a whole pair, and to the block size, is accepted", () => {
    const padded = (length: number) => {
      const bytes = new Uint8Array(length);
      bytes.set(good.files.get("r.dat")!);
      return new Map([["r.dat", bytes]]);
    };
    expect(decodeRecord(parseHeader(good.header), padded(6)).signals[0]?.samples).toHaveLength(3);
    const three = parseHeader("r 3 10\nr.dat 212\nr.dat 212\nr.dat 212\n");
    expect(decodeRecord(three, padded(6)).signals.map(({ samples }) => [...samples])).toEqual([[1], [2], [3]]);
    expect(() => decodeRecord(three, padded(7))).toThrow("end inside a frame of 3 samples");
    expect(
      decodeRecord(parseHeader(good.header.replace(" 6 0", " 6 512")), padded(512)).signals[0]?.samples,
    ).toHaveLength(3);
  });

  test("numbers that promise more than the file has allocate nothing", () => {
    const bytes = new Map([["d", new Uint8Array(8)]]);
    const read = (text: string) => () => decodeRecord(parseHeader(text), bytes);
    expect(read("r 1 1 9007199254740991\nd 24\n")).toThrow("it is truncated");
    expect(read("r 1 1\nd 16x2147483647\n")).toThrow("end inside a frame of 2147483647 samples");
    expect(read("r 1 1 4\nd 16:2147483647\n")).toThrow("skew 2147483647 is above its 4 samples");
    expect(read("r 1 1\nd 16+99\n")).toThrow("byte offset 99 is beyond its end");
    expect(read("r 2 1\nd 16\ne 16\n")).toThrow("signal file e is missing");
  });

  test("two files of unequal length without a number of samples are refused", () => {
    const files = new Map([
      ["d", new Uint8Array(4)],
      ["e", new Uint8Array(6)],
    ]);
    expect(() => decodeRecord(parseHeader("r 2 1\nd 16\ne 16\n"), files)).toThrow(
      "e: 3 frames, the other signal files have 2",
    );
  });

  test("a header cannot reach for files outside its folder, nor for devices, which may never end", () => {
    const folder = temporaryFolder();
    for (const file of ["../r.dat", "/etc/hostname", "..", "-", "a\\b"]) {
      writeFileSync(join(folder, "bad.hea"), `bad 1 10\n${file} 16\n`);
      expect(() => readRecordSync(join(folder, "bad"))).toThrow("is not a plain file name");
    }
    writeFileSync(join(folder, "bad.hea"), "bad 1 10\ndevice 16\n");
    symlinkSync("/dev/null", join(folder, "device"));
    expect(() => readRecordSync(join(folder, "bad"))).toThrow("device: not a regular file");
    expect(() => readRecordSync(join(folder, "none"))).toThrow("none.hea: no such file");
    expect(() =>
      writeRecordSync(folder, { name: "r", rate: 1, signals: [{ samples: new Int32Array(1), file: "../r.dat" }] }),
    ).toThrow("not a plain file name");
  });

  test("any mixture of header text and bytes is read or refused with a sentence, never anything else", () => {
    const piece = fc.constantFrom(
      "r",
      "d",
      " ",
      "\n",
      "1",
      "0",
      "212",
      "16",
      "24",
      "x",
      ":",
      "+",
      "/",
      "(",
      ")",
      "-",
      "#",
      ".",
      "9e9",
      "é",
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc.array(piece, { maxLength: 12 }).map((pieces) => `r 1 360\nd ${pieces.join("")}`),
      fc.array(piece, { maxLength: 12 }).map((pieces) => `r 1 ${pieces.join("")}\nd 16 1`),
      fc.string(),
    );
    fc.assert(
      fc.property(text, fc.uint8Array({ maxLength: 40 }), (header, bytes) => {
        try {
          const record = decodeRecord(parseHeader(header, "f"), new Map([["d", bytes]]));
          for (const signal of record.signals) expect(physical(signal).length).toBeLessThanOrEqual(40);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
          expect(error).not.toBeInstanceOf(RangeError);
          expect((error as Error).message).toMatch(/\w+: |signals in/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("a record cut anywhere, or with any byte of its header changed, is read or refused with a sentence", () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 127 }), (record, cut, place, value) => {
        const { header, files } = encodeRecord(record);
        const at = place % header.length;
        const changed = header.slice(0, at) + String.fromCharCode(value) + header.slice(at + 1);
        const short = new Map([...files].map(([name, bytes]) => [name, bytes.subarray(0, cut % (bytes.length + 1))]));
        for (const read of [
          () => decodeRecord(parseHeader(changed), files),
          () => decodeRecord(parseHeader(header), short),
          () => decodeRecord(parseHeader(header.slice(0, at)), files),
        ]) {
          try {
            read();
          } catch (error) {
            expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
