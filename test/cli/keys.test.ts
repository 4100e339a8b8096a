/** Keys at rest: wrapped, readable by their owner alone, never overwritten. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { needWrapping, readWrapping } from "../../cli/keys/passphrase.ts";
import { claimsToEncrypt, pskPath, readPsk, readPsks, writePsk } from "../../cli/keys/psk-file.ts";
import { keyFileWrapping, passphraseWrapping, testOnlyWrapping, type Wrapping } from "../../cli/keys/wrapping.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { ownFolder } from "../support/folder.ts";

const folder = ownFolder();
const kid = fromHex("1563545644dd02b0");
const other = fromHex("7f0da1e4b2ac72f5");
const psk = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 3);
const words = passphraseWrapping("correct horse battery");
const file = keyFileWrapping(new Uint8Array(32).fill(5));

const methods: [string, Wrapping, Wrapping][] = [
  ["a passphrase", words, passphraseWrapping("correct horse batterz")],
  ["a key file", file, keyFileWrapping(new Uint8Array(32).fill(6))],
];

describe.each(methods)("a PSK under %s", (_name, right, wrong) => {
  test("comes back whole, lies there 0600 in a folder 0700, and is nowhere in its file", () => {
    const path = writePsk(folder(), { kid, psk, encrypts: false }, right);
    expect(path).toBe(join(folder(), "keys", "1563545644dd02b0.psk"));
    expect(readPsk(path, [right])).toEqual({ kid, psk, encrypts: false });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder(), "keys")).mode & 0o777).toBe(0o700);
    expect(readFileSync(path, "utf8")).not.toContain(toHex(psk).slice(0, 8));
    expect(readdirSync(join(folder(), "keys"))).toEqual(["1563545644dd02b0.psk"]);
  });

  test("does not open under another, and the error says so without telling either", () => {
    const path = writePsk(folder(), { kid, psk, encrypts: false }, right);
    expect(() => readPsk(path, [wrong])).toThrow(
      /does not open: a wrong (passphrase|wrapping key), or the file was altered/,
    );
  });

  test("does not open under a name that is not its own, nor with any character of its line changed", () => {
    const path = writePsk(folder(), { kid, psk, encrypts: false }, right);
    const text = readFileSync(path, "utf8");
    renameSync(path, pskPath(folder(), other));
    expect(() => readPsk(pskPath(folder(), other), [right])).toThrow(/is of 1563545644dd02b0, not of 7f0da1e4b2ac72f5/);
    // Its kid too: it is in the additional data.
    writeFileSync(pskPath(folder(), other), text.replace("1563545644dd02b0", "7f0da1e4b2ac72f5"), { mode: 0o600 });
    expect(() => readPsk(pskPath(folder(), other), [right])).toThrow(/does not open/);
    // One derivation of a passphrase costs 0.1 s, and each other salt is one: the nonce and what follows are changed.
    const from = text.lastIndexOf(" ") - 24;
    for (let at = from; at < text.length; at++) {
      if (text[at] === " ") continue;
      writeFileSync(path, text.slice(0, at) + (text[at] === "0" ? "1" : "0") + text.slice(at + 1), { mode: 0o600 });
      expect(() => readPsk(path, [right])).toThrow();
    }
  });

  test("is not overwritten by another, and the same one stays as it is", () => {
    const path = writePsk(folder(), { kid, psk, encrypts: false }, right);
    const before = readFileSync(path);
    expect(writePsk(folder(), { kid, psk, encrypts: false }, right)).toBe(path);
    expect(() => writePsk(folder(), { kid, psk, encrypts: true }, right)).toThrow(/never overwritten/);
    expect(readFileSync(path)).toEqual(before);
    expect(() => writePsk(folder(), { kid, psk: new Uint8Array(32), encrypts: false }, right)).toThrow(
      /never overwritten/,
    );
    expect(readFileSync(path)).toEqual(before);
  });
});

test("that its device encrypts is sealed with the PSK: a changed word does not open", () => {
  const path = writePsk(folder(), { kid, psk, encrypts: true }, file);
  expect(readPsk(path, [file])).toEqual({ kid, psk, encrypts: true });
  expect(claimsToEncrypt(folder(), kid)).toBe(true);
  expect(claimsToEncrypt(folder(), other)).toBe(null);
  writeFileSync(path, readFileSync(path, "utf8").replace("psk-encrypt", "psk"), { mode: 0o600 });
  expect(() => readPsk(path, [file])).toThrow(/does not open/);
});

describe("a folder of PSKs", () => {
  test("is opened by one passphrase: a PSK under another is not put beside them", () => {
    writePsk(folder(), { kid, psk, encrypts: false }, words);
    expect(() =>
      writePsk(folder(), { kid: other, psk, encrypts: false }, passphraseWrapping("some other words")),
    ).toThrow(/does not open/);
    expect(existsSync(pskPath(folder(), other))).toBe(false);
    writePsk(
      folder(),
      { kid: other, psk: new Uint8Array(32), encrypts: false },
      passphraseWrapping("correct horse battery"),
    );
    const { psks, faults } = readPsks(folder(), [words]);
    expect(faults).toEqual([]);
    expect(psks).toEqual([
      { kid, psk, encrypts: false },
      { kid: other, psk: new Uint8Array(32), encrypts: false },
    ]);
  });

  test("names what it cannot take and gives the rest", () => {
    writePsk(folder(), { kid, psk, encrypts: false }, file);
    writePsk(folder(), { kid: other, psk, encrypts: false }, testOnlyWrapping());
    expect(readPsks(folder(), [file, testOnlyWrapping()]).psks).toHaveLength(2);
    const { psks, faults } = readPsks(folder(), [file]);
    expect(psks).toEqual([{ kid, psk, encrypts: false }]);
    expect(faults).toEqual([expect.stringMatching(/7f0da1e4b2ac72f5\.psk: a TEST-ONLY secret .* --allow-test-keys/)]);
    expect(readPsks(folder(), [testOnlyWrapping()]).faults[0]).toMatch(/needs the wrapping key .*--key-file FILE/);
    expect(readPsks(join(folder(), "nowhere"), [file])).toEqual({ psks: [], faults: [] });
  });

  test("that others may look into is refused, with what to type", () => {
    mkdirSync(join(folder(), "keys"));
    chmodSync(join(folder(), "keys"), 0o755);
    expect(() => writePsk(folder(), { kid, psk, encrypts: false }, file)).toThrow(
      /others may look into it \(mode 755\).*chmod 700 .*keys/,
    );
  });
});

test.each([0o640, 0o604, 0o644, 0o620])("a key file of mode %o is refused, with what to type", (mode) => {
  const path = writePsk(folder(), { kid, psk, encrypts: false }, file);
  chmodSync(path, mode);
  expect(() => readPsk(path, [file])).toThrow(`others may read it (mode ${mode.toString(8)}); chmod 600 ${path}`);
});

test.each([
  ["nothing", ""],
  ["a line cut off", "vitalwire-psk 1 1563545644dd02b0 key-file 00"],
  ["another version", `vitalwire-psk 2 1563545644dd02b0 key-file ${"0".repeat(24)} ${"0".repeat(96)}\n`],
  [
    "a cheap scrypt",
    `vitalwire-psk 1 1563545644dd02b0 scrypt:10:8:1:${"0".repeat(32)} ${"0".repeat(24)} ${"0".repeat(96)}\n`,
  ],
  [
    "a scrypt that takes all memory",
    `vitalwire-psk 1 1563545644dd02b0 scrypt:31:8:1:${"0".repeat(32)} ${"0".repeat(24)} ${"0".repeat(96)}\n`,
  ],
  ["a seed", `vitalwire-seed 1 1563545644dd02b0 key-file ${"0".repeat(24)} ${"0".repeat(96)}\n`],
  ["two lines", `vitalwire-psk 1 1563545644dd02b0 key-file ${"0".repeat(24)} ${"0".repeat(96)}\n\n`],
  ["megabytes", "0".repeat(5000)],
])("a file with %s is no PSK", (_name, text) => {
  const path = writePsk(folder(), { kid, psk, encrypts: false }, file);
  writeFileSync(path, text);
  expect(() => readPsk(path, [file, words])).toThrow(path);
});

describe("what opens them", () => {
  const write = (name: string, text: string, mode = 0o600) => {
    writeFileSync(join(folder(), name), text, { mode });
    return join(folder(), name);
  };

  test("is read from a file with one line, which others may not read", () => {
    const path = write("words", "correct horse battery\n");
    writePsk(folder(), { kid, psk, encrypts: false }, readWrapping({ passphraseFile: path })!);
    expect(readPsk(pskPath(folder(), kid), [words]).psk).toEqual(psk);
    chmodSync(path, 0o644);
    expect(() => readWrapping({ passphraseFile: path })).toThrow(/chmod 600/);
    expect(readWrapping({})).toBeNull();
  });

  test("is refused where it is short, of several lines, or both are given", () => {
    expect(() => readWrapping({ passphraseFile: write("short", "tiger\n") })).toThrow(
      /of 5 characters: give at least 12/,
    );
    expect(() => readWrapping({ passphraseFile: write("lines", "correct horse\nbattery\n") })).toThrow(/one line/);
    expect(() => readWrapping({ keyFile: write("hex", "abc\n") })).toThrow(/not 64 hex digits/);
    expect(() => readWrapping({ passphraseFile: "a", keyFile: "b" })).toThrow(/one of them/);
    expect(() => needWrapping({}, "a PSK")).toThrow(/a PSK is never kept bare: give --passphrase-file FILE/);
  });

  test("a wrapping key is made where one is named that is not there, and is another each time", () => {
    const path = join(folder(), "a");
    writePsk(folder(), { kid, psk, encrypts: false }, needWrapping({ keyFile: path }, "a PSK"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readPsk(pskPath(folder(), kid), [readWrapping({ keyFile: path })!]).psk).toEqual(psk);
    needWrapping({ keyFile: join(folder(), "b") }, "a PSK");
    expect(readFileSync(path, "utf8")).not.toBe(readFileSync(join(folder(), "b"), "utf8"));
  });
});
