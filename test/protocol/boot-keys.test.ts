import { describe, expect, test } from "vitest";
import { type BootSecret, birthKey, bootKey, type KeyLabel, keyInfo, newBootNonce } from "../../protocol/boot-keys.ts";
import { equalBytes } from "../../protocol/constant-time.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { read, vectors } from "./support.ts";

const modes = vectors("modes") as {
  secret: { psk: string; kid: string; boot: number; bn: string };
  keys: Array<{ label: KeyLabel | "birth"; info: string; key: string }>;
  bootNonces: Array<{ boot: number; entropy: string; bn: string }>;
};
const bn = fromHex(modes.secret.bn);
const secret: BootSecret = {
  psk: fromHex(modes.secret.psk),
  kid: fromHex(modes.secret.kid),
  boot: modes.secret.boot,
};
const labels = modes.keys.map((one) => one.label).filter((label) => label !== "birth");

describe("the keys of a boot", () => {
  test("PROTOCOL.md section 9 shows the PSK, bn, info, keys and IV of the vectors", () => {
    const document = read("PROTOCOL.md");
    const of = (label: string) => modes.keys.find((one) => one.label === label) as (typeof modes.keys)[number];
    expect(document).toContain(`\nPSK          ${modes.secret.psk}\n`);
    expect(document).toContain(`\nbn           ${modes.secret.bn}      boot ${modes.secret.boot}\n`);
    expect(document).toContain(`\ninfo d2g mac ${of("d2g mac").info}\n`);
    expect(document).toContain(`\nK_d2g        ${of("d2g mac").key}\n`);
    expect(document).toContain(`\nK_g2d        ${of("g2d mac").key}\n`);
    expect(document).toContain(`\nK_enc        ${of("d2g enc").key}      IV ${of("d2g iv").key}\n`);
    for (const { label, key } of modes.keys)
      if (label !== "birth")
        expect(document).toContain(`"${label}"${label.startsWith("d2g") ? ` ${key.length / 2} B` : ""}`);
  });

  for (const { label, info, key } of modes.keys)
    test(`"${label}": info and key to the byte`, () => {
      expect(toHex(keyInfo(label, secret.kid, secret.boot))).toBe(info);
      const made = label === "birth" ? birthKey(secret, nodeCrypto) : bootKey(label, secret, bn, nodeCrypto);
      expect(toHex(made)).toBe(key);
    });

  test("every label, boot, kid, bn and PSK gives another key", () => {
    const keys = new Set<string>();
    const add = (of: BootSecret, nonce: Uint8Array) => {
      for (const label of labels) keys.add(toHex(bootKey(label as KeyLabel, of, nonce, nodeCrypto)));
      keys.add(toHex(birthKey(of, nodeCrypto)));
    };
    add(secret, bn);
    add({ ...secret, boot: 18 }, bn);
    add({ ...secret, boot: 4294967295 }, bn);
    add({ ...secret, kid: new Uint8Array(8) }, bn);
    add({ ...secret, psk: new Uint8Array(32) }, bn);
    expect(keys.size).toBe(5 * 7);
    add(secret, new Uint8Array(16)); // a birth key knows no bn
    expect(keys.size).toBe(5 * 7 + 6);
  });

  test("what is no PSK, kid, boot or bn is an error", () => {
    const make =
      (change: Partial<BootSecret>, nonce = bn) =>
      () =>
        bootKey("d2g mac", { ...secret, ...change }, nonce, nodeCrypto);
    expect(make({ psk: new Uint8Array(31) })).toThrow(/pre-shared key of 31 bytes/);
    expect(make({ kid: new Uint8Array(7) })).toThrow(/kid of 7 bytes/);
    for (const boot of [-1, 4294967296, 0.5, Number.NaN]) expect(make({ boot })).toThrow(/boot .* whole number/);
    expect(make({}, new Uint8Array(15))).toThrow(/bn of 15 bytes/);
    expect(() => birthKey({ ...secret, psk: new Uint8Array(0) }, nodeCrypto)).toThrow(/pre-shared key of 0 bytes/);
  });
});

describe("the nonce of a boot", () => {
  for (const { boot, entropy, bn: expected } of modes.bootNonces)
    test(`boot ${boot}, ${entropy.length / 2} bytes of entropy: to the byte`, () => {
      expect(toHex(newBootNonce({ ...secret, boot }, fromHex(entropy), null, nodeCrypto))).toBe(expected);
    });

  test("two boots on the same entropy stub have different nonces", () => {
    const stub = new Uint8Array(16);
    const first = newBootNonce(secret, stub, null, nodeCrypto);
    expect(toHex(newBootNonce({ ...secret, boot: 18 }, stub, first, nodeCrypto))).not.toBe(toHex(first));
  });

  test("the last one stored, again, is refused: the counter fell back and the generator repeats", () => {
    const stub = new Uint8Array(16);
    const first = newBootNonce(secret, stub, null, nodeCrypto);
    expect(() => newBootNonce(secret, stub, first, nodeCrypto)).toThrow(/equals the last one stored/);
    expect(() => newBootNonce(secret, stub, new Uint8Array(3), nodeCrypto)).toThrow(/last bn stored has 3 bytes/);
  });
});

describe("comparing in constant time", () => {
  test("is true for the same bytes alone, whichever byte or bit differs", () => {
    const bytes = fromHex("0001807fff10203040");
    expect(equalBytes(bytes, new Uint8Array(bytes))).toBe(true);
    expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
    expect(equalBytes(bytes, bytes.subarray(0, 8))).toBe(false);
    expect(equalBytes(bytes.subarray(0, 8), bytes)).toBe(false);
    expect(equalBytes(new Uint8Array(9), new Uint8Array(8))).toBe(false);
    expect(equalBytes(new Uint8Array(0), bytes)).toBe(false);
    for (let bit = 0; bit < 72; bit++) {
      const other = new Uint8Array(bytes);
      other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(equalBytes(bytes, other)).toBe(false);
    }
  });
});
