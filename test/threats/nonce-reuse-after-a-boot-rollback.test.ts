/** PROTOCOL.md section 10, "nonce reuse after a boot rollback": a rolled-back storage image: E refuses to start. */
import { describe, expect, test } from "vitest";
import type { Storage } from "../../boards/board.ts";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { startBoot } from "../../firmware/boot.ts";
import { createSealer } from "../../firmware/sealer.ts";
import { createDownlinkSealer } from "../../gateway/downlink.ts";
import { decode, encode } from "../../protocol/cbor.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0 } from "../../protocol/encrypt0.ts";
import { modeOf } from "../../protocol/header.ts";
import { toHex } from "../../protocol/keys.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { type BirthMessage, decodeMessage } from "../../protocol/messages.ts";
import { testOnlyPsk, testOnlySigner } from "../../simulator/keys.ts";
import { createVirtualNode, type SealMode } from "../../simulator/node.ts";

const { kid } = testOnlySigner("device");
const psk = testOnlyPsk("rollback");
const entropy = new Uint8Array(8);
const start = (storage: Storage, other = entropy) =>
  startBoot({ storage, kid, psk, entropy: other, crypto: nodeCrypto });

/** A storage whose records a test can put back. */
const imaged = () => {
  const storage = createMemoryStorage();
  return {
    storage,
    image: (...names: string[]) => names.map((name) => [name, storage.read(name)] as const),
    putBack: (image: readonly (readonly [string, Uint8Array | undefined])[]) => {
      for (const [name, bytes] of image) if (bytes !== undefined) storage.write(name, bytes);
    },
  };
};

describe("at the start", () => {
  test("a boot record older than what else the board has kept is an image put back: nothing starts", () => {
    const { storage, image, putBack } = imaged();
    start(storage).end(10);
    const old = image("boot");
    start(storage).end(20);
    putBack(old);
    expect(() => start(storage)).toThrow(/"boot" says boot 1, "end" says 2: an old image was put back; make a new key/);
    // and it stays so
    expect(() => start(storage)).toThrow(/an old image was put back/);
  });

  test("so is one older than the time that was last kept, and a boot record that is gone", () => {
    const storage = createMemoryStorage();
    storage.write("time", encode([3, 1_700_000_000_000, 5, 6]));
    expect(() => start(storage)).toThrow(/"boot" says boot 0, "time" says 3/);
  });

  test("a damaged record beside it says nothing, as one that is gone", () => {
    for (const damage of [[], [0xff], [0x01], [0x81, 0x20], [0x82, 0x01]]) {
      const storage = createMemoryStorage();
      for (const name of ["end", "time"]) storage.write(name, Uint8Array.from(damage));
      expect(start(storage)).toMatchObject({ boot: 1, prev: null });
      expect(start(storage)).toMatchObject({ boot: 2, prev: null });
    }
  });

  test("a counter that was set back beside its nonce gives the same nonce again, and that is refused", () => {
    const storage = createMemoryStorage();
    const { boot, bn } = start(storage);
    storage.write("boot", encode([boot - 1, bn]));
    expect(() => start(storage)).toThrow(/equals the last one stored: the boot counter fell back/);
  });

  test("a record that is damaged anywhere is refused, or leads to other keys", () => {
    const storage = createMemoryStorage();
    const { boot, bn } = start(storage);
    const whole = storage.read("boot")!;
    const spent = toHex(bn);
    for (let at = 0; at < whole.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Uint8Array.from(whole);
        damaged[at] = damaged[at]! ^ (1 << bit);
        storage.write("boot", damaged);
        try {
          const next = start(storage);
          expect(next.boot !== boot || toHex(next.bn) !== spent, `byte ${at}, bit ${bit}`).toBe(true);
        } catch (error) {
          expect((error as Error).message).toMatch(/make a new key|fell back/);
        }
      }
    for (let length = 0; length < whole.length; length++) {
      storage.write("boot", whole.subarray(0, length));
      expect(() => start(storage)).toThrow(/damaged/);
    }
  });

  test("a storage that keeps nothing, or that fails to write, starts nothing", () => {
    expect(() => start({ read: () => undefined, write() {} })).toThrow(/needs storage that survives/);
    const full: Storage = {
      read: () => undefined,
      write() {
        throw new Error("full");
      },
    };
    expect(() => start(full)).toThrow("full");
  });

  test("number and nonce are one record, written before they are known: no cut between two writes parts them", () => {
    const written: unknown[] = [];
    const memory = createMemoryStorage();
    const storage: Storage = {
      read: memory.read,
      write(name, bytes) {
        written.push([name, decode(bytes)]);
        memory.write(name, bytes);
      },
    };
    const { boot, bn } = start(storage);
    expect(written).toEqual([["boot", [boot, bn]]]);
  });

  test("where the whole image is put back, what differs between boots makes other keys", () => {
    const { storage, image, putBack } = imaged();
    start(storage);
    const whole = image("boot", "end");
    const first = start(storage, Uint8Array.of(1));
    putBack(whole);
    const again = start(storage, Uint8Array.of(2));
    expect(again.boot).toBe(first.boot);
    expect(toHex(again.bn)).not.toBe(toHex(first.bn));
  });

  test("without a pre-shared key or a cipher there is no encryption, in no lesser form either", () => {
    const { boot, bn } = start(createMemoryStorage());
    const options = {
      mode: "sign" as const,
      encrypt: true,
      signer: testOnlySigner("device"),
      kid,
      boot,
      bn,
      gateways: [],
      crypto: nodeCrypto,
    };
    expect(() => createSealer({ ...options, psk: null, aead: nodeAead })).toThrow(/without a pre-shared key/);
    expect(() => createSealer({ ...options, psk, aead: null })).toThrow(/without AES-CCM/);
  });
});

/** A board whose gateway a test holds in its hands: acks are what the test says. */
const running = (seal: SealMode) => {
  const clock = createVirtualClock();
  const gateway = testOnlySigner("gateway");
  const sent: Uint8Array[] = [];
  const faults: string[] = [];
  let deliver: (message: Uint8Array) => void = () => {};
  const node = createVirtualNode({
    clock,
    seed: 1,
    index: 0,
    noise: true,
    seal,
    gateways: [gateway],
    boot: () => 1,
    onFault: ({ message }) => faults.push(message),
    link: () => ({
      presence: false,
      open(events) {
        deliver = events.onMessage;
        events.onUp(1);
      },
      send(_letter, message) {
        sent.push(message);
        return true;
      },
      close: (done) => done(),
    }),
  });
  const births = () => {
    const birth = decodeMessage(decodeMac0(sent[0]!).payload) as BirthMessage;
    return new Map([[1, birth]]);
  };
  const sealer = createDownlinkSealer({ signer: gateway, crypto: nodeCrypto, aead: nodeAead });
  let n = 0;
  const ack = (next: number) => {
    const heard = { kid: node.signer.kid, boot: 1, births: births(), seal: seal.mode };
    const bitmap = new Uint8Array(0);
    const to = { kid: node.signer.kid, boot: 1, n: n++ };
    deliver(
      sealer.seal({ psk: node.psk, encrypts: seal.encrypt }, heard, {
        type: "ack",
        ...to,
        ofBoot: 1,
        next,
        bitmap,
        refused: [],
      }),
    );
  };
  node.runtime.start();
  return { clock, node, sent, faults, ack };
};

describe("while it runs", () => {
  test("an authentic ack of what this boot never sent stops an encrypting board: nothing new leaves it", () => {
    const { clock, node, sent, faults, ack } = running({ mode: "mac", encrypt: true });
    clock.runUntil(3e6);
    ack(node.runtime.produced);
    clock.runUntil(6e6);
    expect(faults).toEqual([]);
    const before = new Set(sent.map(toHex));
    expect(before.size).toBeGreaterThan(5);
    ack(1000);
    ack(2000);
    clock.runUntil(30e6);
    let stopped = false;
    node.runtime.stop(() => {
      stopped = true;
    });
    clock.runUntil(60e6);
    expect(stopped).toBe(true);
    // what was sealed before may be sent again: it is the same bytes under the same nonce
    expect(sent.map(toHex).filter((message) => !before.has(message))).toEqual([]);
    expect(faults).toEqual([
      "boot 1 was told before, up to seq 999: an old storage image; nothing more is encrypted, start the board anew",
    ]);
    const nonces = [...before].map((hex) => Buffer.from(hex, "hex")).filter((message) => modeOf(message) === "E");
    expect(new Set(nonces.map((message) => toHex(decodeEncrypt0(message).partialIv))).size).toBe(nonces.length);
  });

  test("a board that does not encrypt says so in a fault event, once, and goes on", () => {
    const { clock, node, sent, faults, ack } = running({ mode: "mac", encrypt: false });
    clock.runUntil(3e6);
    ack(1000);
    ack(1000);
    clock.runUntil(6e6);
    const told = sent
      .filter((message) => modeOf(message) === "M")
      .map((message) => decodeMessage(decodeMac0(message).payload))
      .filter((message) => message.type === "event" && message.code === 7);
    expect(told).toMatchObject([{ small: [8, null, expect.stringMatching(/^boot 1 was told before, up to seq 999/)] }]);
    expect(faults).toHaveLength(1);
    // nothing was freed by what cannot be believed
    expect(node.runtime.outbox.waiting[0]?.seq).toBe(0);
    expect(sent.length).toBeGreaterThan(6);
  });
});
