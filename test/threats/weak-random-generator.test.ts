/** PROTOCOL.md section 10, "weak random generator": two boots, the same entropy stub: bn differ. */
import { expect, test } from "vitest";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { startBoot } from "../../firmware/boot.ts";
import { bootKey } from "../../protocol/boot-keys.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { toHex } from "../../protocol/keys.ts";
import { testOnlyPsk, testOnlySigner } from "../../simulator/keys.ts";

const { kid } = testOnlySigner("device");
const psk = testOnlyPsk("weak");
/** A generator that gives the same after every start, as the interpreter's own does on some boards. */
const stub = new Uint8Array(4);
const crypto = nodeCrypto;

test.each([
  ["with a pre-shared key", psk],
  ["without one", null],
])("%s, a hundred boots with the same entropy have a hundred nonces", (_name, key) => {
  const storage = createMemoryStorage();
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) seen.add(toHex(startBoot({ storage, kid, psk: key, entropy: stub, crypto }).bn));
  expect(seen.size).toBe(100);
});

test("so no two boots have a key in common", () => {
  const storage = createMemoryStorage();
  const keys = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const { boot, bn } = startBoot({ storage, kid, psk, entropy: stub, crypto });
    for (const label of ["d2g mac", "g2d mac", "d2g enc", "g2d enc", "d2g iv", "g2d iv"] as const)
      keys.add(toHex(bootKey(label, { psk, kid, boot }, bn, crypto)));
  }
  expect(keys.size).toBe(120);
});

test("two devices with the same generator and the same boot number have two nonces, for they have two keys", () => {
  const of = (other: Uint8Array) =>
    toHex(startBoot({ storage: createMemoryStorage(), kid, psk: other, entropy: stub, crypto }).bn);
  expect(of(psk)).not.toBe(of(testOnlyPsk("another")));
});
