/** What a gateway sends: sealed as the device speaks, under its current boot, numbered once. */
import { describe, expect, test } from "vitest";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import type { Store } from "../../gateway/store/store.ts";
import { bootKey } from "../../protocol/boot-keys.ts";
import { decodeEnvelope, sign1 } from "../../protocol/cose.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0, openEncrypt0 } from "../../protocol/encrypt0.ts";
import { modeOf } from "../../protocol/header.ts";
import { toHex } from "../../protocol/keys.ts";
import { decodeMac0, verifyMac0 } from "../../protocol/mac0.ts";
import { createTestGateway, gatewayKey } from "../support/gateway.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

describe.each(MODES)("a device in mode $name", (mode) => {
  test("is answered in its own mode, under keys of its boot, with the kid that the mode asks for", () => {
    const bench = createTestGateway();
    const device = createSpeaker(mode);
    device.join(bench.gateway);
    bench.gateway.receive(device.seal(device.birth()), device.origin);
    bench.gateway.receive(device.seal(device.data(1)), device.origin);
    bench.settle();
    expect(device.heard.at(-1)).toMatchObject({ type: "ack", boot: 1, ofBoot: 1, next: 2 });
    const bytes = device.raw.at(-1)!;
    if (mode.encrypt) {
      expect(modeOf(bytes)).toBe("E");
      const message = decodeEncrypt0(bytes);
      expect(toHex(message.kid)).toBe(toHex(device.kid));
      const secret = { psk: device.psk!, kid: device.kid, boot: 1 };
      const bn = new Uint8Array(16).fill(7);
      const keys = { key: bootKey("g2d enc", secret, bn, nodeCrypto), iv: bootKey("g2d iv", secret, bn, nodeCrypto) };
      const opened = openEncrypt0(message, keys, nodeAead)!;
      expect(opened.identity.number).toBe(message.number);
      expect(opened.signed === null).toBe(mode.mode === "mac");
    } else if (mode.mode === "mac") {
      const message = decodeMac0(bytes);
      expect(toHex(message.kid)).toBe(toHex(device.kid));
      const secret = { psk: device.psk!, kid: device.kid, boot: 1 };
      expect(verifyMac0(message, bootKey("g2d mac", secret, new Uint8Array(16).fill(7), nodeCrypto), nodeCrypto)).toBe(
        true,
      );
    } else expect(toHex(decodeEnvelope(bytes).kid)).toBe(toHex(gatewayKey.kid));
  });

  test("has its birth acknowledged before it has said anything else", () => {
    const bench = createTestGateway();
    const device = createSpeaker(mode);
    device.join(bench.gateway);
    bench.gateway.receive(device.seal(device.birth()), device.origin);
    bench.settle();
    expect(device.heard.map(({ type }) => type)).toEqual(["ack"]);
    expect(device.heard[0]).toMatchObject({ next: 1 });
  });

  test("hears under its new boot alone, once that is born: also of what it sent in the old one", () => {
    const bench = createTestGateway();
    const old = createSpeaker(mode);
    old.join(bench.gateway);
    bench.gateway.receive(old.seal(old.birth()), old.origin);
    bench.settle();
    const young = createSpeaker(mode, "speaker", 2, 8);
    bench.gateway.receive(young.seal(young.birth()), young.origin);
    bench.gateway.receive(young.seal(young.data(1)), young.origin);
    bench.gateway.receive(old.seal(old.data(1)), young.origin);
    bench.settle();
    const acks = young.heard.filter((one) => one.type === "ack");
    expect(acks.map(({ boot, ofBoot, next }) => ({ boot, ofBoot, next }))).toEqual([
      { boot: 2, ofBoot: 2, next: 2 },
      { boot: 2, ofBoot: 1, next: 2 },
    ]);
    expect(new Set(acks.map(({ n }) => n)).size).toBe(2);
  });
});

test("numbers are durable before they are used, whatever the message, and go on after a crash", () => {
  const store = openSqliteStore(":memory:");
  const device = createSpeaker(MODES[0]);
  const session = (seqs: readonly number[], pings: boolean) => {
    const bench = createTestGateway(store, { pings });
    device.join(bench.gateway);
    for (const seq of seqs) {
      bench.gateway.receive(device.seal(seq === 0 ? device.birth() : device.data(seq)), device.origin);
      bench.settle();
      const [row] = store.boots(device.kid);
      expect(row.downlink).toBe(Math.max(...numbers()));
    }
    // Killed here: nothing is closed.
  };
  const numbers = () => device.heard.map((one) => ("n" in one ? one.n : -1));
  session([0, 1, 2], true);
  session([3, 4], true);
  expect(device.heard.map(({ type }) => type)).toContain("time");
  expect(device.commands.length).toBeGreaterThan(0);
  expect(numbers()).toEqual(numbers().map((_, i) => i));
});

test("a commit that fails sends nothing, and its numbers were never used", () => {
  const real = openSqliteStore(":memory:");
  let broken = false;
  const store: Store = {
    ...real,
    commit(commit) {
      if (broken) throw new Error("disk full");
      real.commit(commit);
    },
  };
  const bench = createTestGateway(store, { pings: true });
  const device = createSpeaker(MODES[0]);
  device.join(bench.gateway);
  bench.gateway.receive(device.seal(device.birth()), device.origin);
  bench.gateway.receive(device.seal(device.data(1)), device.origin);
  bench.settle();
  const before = device.raw.length;
  broken = true;
  bench.gateway.receive(device.seal(device.data(2)), device.origin);
  bench.settle();
  expect(device.raw).toHaveLength(before);
  broken = false;
  bench.gateway.receive(device.seal(device.data(2)), device.origin);
  bench.settle();
  expect(device.heard.at(-1)).toMatchObject({ type: "ack", n: before, next: 3 });
});

test("nothing is sent in a boot whose birth is not stored", () => {
  const bench = createTestGateway();
  const device = createSpeaker(MODES[0]);
  device.join(bench.gateway);
  const verdict = bench.gateway.receive(device.seal(device.data(1)), device.origin);
  expect(verdict.status).toBe("refused");
  bench.settle();
  expect(device.raw).toEqual([]);
  expect(bench.gateway.reachable(bench.gateway.devices.get(device.kid)!)).toBeNull();
});

test("what is sent again because its ack was lost is acknowledged again: of an older boot, and what was refused for good", () => {
  const bench = createTestGateway();
  const old = createSpeaker(MODES[0]);
  const young = createSpeaker(MODES[0], "speaker", 2, 8);
  old.join(bench.gateway);
  const data = old.seal(old.data(1));
  const invalid = sign1(Uint8Array.of(0x86, 1, 1, 2, 0, 1, 0x80), old.signer);
  for (const bytes of [old.seal(old.birth()), data, invalid, young.seal(young.birth())]) {
    bench.gateway.receive(bytes, young.origin);
  }
  bench.settle();
  const ackOf = (bytes: Uint8Array) => {
    const before = young.heard.length;
    bench.gateway.receive(bytes, young.origin);
    bench.settle();
    return young.heard.slice(before);
  };
  const again = { type: "ack", boot: 2, ofBoot: 1, next: 3, refused: [{ seq: 2 }] };
  expect(ackOf(data)).toMatchObject([again]);
  expect(ackOf(sign1(Uint8Array.of(0x86, 1, 1, 2, 0, 1, 0x80), old.signer))).toMatchObject([again]);
  expect(ackOf(old.seal(old.data(2)))).toMatchObject([again]);
});
