import { expect, test } from "vitest";
import { rejected } from "../../gateway/origin.ts";
import { sign1 } from "../../protocol/cose.ts";
import { kidText } from "../../protocol/keys.ts";
import { type BirthMessage, EVENT_DISOWNED, encodeMessage } from "../../protocol/messages.ts";
import { REASONS, type Reason } from "../../protocol/refusal.ts";
import { createTestDevice, createTestGateway, createTestOrigin } from "../support/gateway.ts";

const setUp = () => {
  const bench = createTestGateway();
  const device = createTestDevice("a");
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin();
  const receive = (bytes: Uint8Array) => bench.gateway.receive(bytes, origin);
  return { ...bench, bench, device, origin, receive };
};

/** Sends one bad message between good ones: it is refused by that word, counted, and the good ones are stored all the same. */
const expectRefused = (reason: Reason, make: (device: ReturnType<typeof createTestDevice>) => Uint8Array) => {
  const { bench, device, origin, receive } = setUp();
  receive(device.seal(device.birth()));
  receive(device.seal(device.data(1)));
  bench.settle();
  const verdict = receive(make(device));
  expect(verdict).toMatchObject({ status: "refused", reason });
  receive(device.seal(device.data(2)));
  bench.settle();
  expect(origin.counters.refused[reason]).toBe(1);
  for (const other of REASONS) if (other !== reason) expect(origin.counters.refused[other]).toBe(0);
  expect(rejected(origin.counters)).toBe(1);
  expect(bench.stored.map(({ row }) => row.seq).filter((seq) => seq <= 2)).toEqual([0, 1, 2]);
  expect(origin.acks.at(-1)!.next).toBeGreaterThanOrEqual(3);
};

test("a message whose payload has a flipped byte is refused as signature", () => {
  expectRefused("signature", (device) => {
    const bytes = device.seal(device.data(2));
    bytes[bytes.length - 80] ^= 1;
    return bytes;
  });
});

test("any single flipped byte of a data message is refused, whatever the word", () => {
  const { device, receive, bench } = setUp();
  receive(device.seal(device.birth()));
  bench.settle();
  const good = device.seal(device.data(1));
  for (let i = 0; i < good.length; i++) {
    const bad = good.slice();
    bad[i] ^= 0x55;
    expect(receive(bad).status, `byte ${i}`).toBe("refused");
  }
  bench.settle();
  expect(bench.stored).toHaveLength(1);
  expect(receive(good).status).toBe("accepted");
});

test("a message of 5000 bytes is refused as size before anything of it is read", () => {
  expectRefused("size", () => new Uint8Array(5000));
});

test("a message of a device without a card is refused as kid", () => {
  expectRefused("kid", () => createTestDevice("stranger").seal(createTestDevice("stranger").data(1)));
});

test("a payload that breaks a rule is refused as payload, and settled so that it is not sent for ever (section 4)", () => {
  const { bench, device, origin, receive } = setUp();
  receive(device.seal(device.birth()));
  const data = device.data(1);
  const payload = encodeMessage(data);
  // Item 0 of the header stays; channel id 0 becomes 63, which the birth does not define.
  const unknown = encodeMessage({ ...data, channels: data.channels.map((channel) => ({ ...channel, id: 63 })) });
  expect(receive(sign1(unknown, device.signer))).toMatchObject({ status: "refused", reason: "payload" });
  bench.settle();
  expect(origin.acks.at(-1)).toMatchObject({ next: 2, refused: [{ seq: 1, reason: REASONS.indexOf("payload") }] });
  expect(receive(sign1(payload, device.signer))).toMatchObject({ status: "refused", reason: "replay" });
});

test("samples that do not decode are refused as codec, and settled", () => {
  const { bench, device, origin, receive } = setUp();
  receive(device.seal(device.birth()));
  const data = device.data(1);
  const bad = { ...data, channels: data.channels.map((channel) => ({ ...channel, n: 9 })) } as typeof data;
  expect(receive(device.seal(bad))).toMatchObject({ status: "refused", reason: "codec" });
  bench.settle();
  expect(origin.acks.at(-1)!.next).toBe(2);
});

test("a device's message on another device's topic is refused as topic", () => {
  const { bench, device } = setUp();
  const other = createTestDevice("b");
  other.enrollAt(bench.gateway);
  const origin = createTestOrigin("mqtt", { kid: kidText(other.kid), letter: "b" });
  expect(bench.gateway.receive(device.seal(device.birth()), origin)).toMatchObject({
    status: "refused",
    reason: "topic",
  });
  const wrongLetter = createTestOrigin("mqtt", { kid: kidText(device.kid), letter: "d" });
  expect(bench.gateway.receive(device.seal(device.birth()), wrongLetter)).toMatchObject({ reason: "topic" });
});

test("a replayed packet is a duplicate: counted under replay, acknowledged again, stored once, not rejected", () => {
  const { bench, device, origin, receive } = setUp();
  const packets = [device.seal(device.birth()), device.seal(device.data(1))];
  for (const packet of packets) receive(packet);
  bench.settle();
  const acks = origin.acks.length;
  for (const packet of packets) expect(receive(packet).status).toBe("duplicate");
  bench.settle();
  expect(origin.counters).toMatchObject({ received: 4, verified: 2, duplicates: 2 });
  expect(origin.counters.refused.replay).toBe(2);
  expect(rejected(origin.counters)).toBe(0);
  expect(origin.acks).toHaveLength(acks + 1);
  expect(bench.stored).toHaveLength(2);
});

test("a replay within one commit is seen as well", () => {
  const { bench, device, receive } = setUp();
  const birth = device.seal(device.birth());
  expect(receive(birth).status).toBe("accepted");
  expect(receive(birth).status).toBe("duplicate");
  bench.settle();
  expect(bench.stored).toHaveLength(1);
});

/** A contradiction ends in quarantine, which is stored with the bytes, told at once, and outlasts a restart until a person acts. */
const expectQuarantine = (make: (device: ReturnType<typeof createTestDevice>) => Uint8Array, words: RegExp) => {
  const { bench, device, origin, receive } = setUp();
  receive(device.seal(device.birth()));
  receive(device.seal(device.data(1)));
  bench.settle();
  const acks = origin.acks.length;
  const bad = make(device);
  expect(receive(bad)).toMatchObject({ status: "refused", reason: "replay", detail: expect.stringMatching(words) });
  expect(bench.alarms).toEqual([
    { kind: "clone or rollback", kid: device.kid, sentence: expect.stringMatching(words) },
  ]);
  for (const bytes of [device.seal(device.data(2)), device.seal(device.data(1))]) {
    expect(receive(bytes)).toMatchObject({ reason: "replay", detail: expect.stringContaining("quarantine") });
  }
  bench.settle();
  expect(bench.stored).toHaveLength(2);
  expect(origin.acks).toHaveLength(acks);
  const { store, devices } = bench.gateway;
  expect(store.quarantines(device.kid)).toMatchObject([{ released: null, since: bench.now }]);
  expect(Buffer.compare(store.quarantines(device.kid)[0].message, bad)).toBe(0);
  // Another gateway on the same store knows of it too.
  const again = createTestGateway(store);
  device.enrollAt(again.gateway);
  expect(again.gateway.receive(device.seal(device.data(2)), createTestOrigin())).toMatchObject({ reason: "replay" });
  expect(devices.release(device.kid, bench.now + 1)).toBe(true);
  expect(devices.release(device.kid, bench.now + 2)).toBe(false);
  expect(store.quarantines(device.kid)).toMatchObject([{ released: bench.now + 1 }]);
  expect(receive(device.seal(device.data(2))).status).toBe("accepted");
};

test("the same identity with another payload is a clone or a rollback: quarantine (section 4)", () => {
  expectQuarantine((device) => device.seal(device.data(1, [5, 5, 5])), /boot 1 seq 1 is stored with another payload/);
});

test("a second birth of a boot with another seed is a rollback: quarantine", () => {
  expectQuarantine((device) => device.seal(device.birth(3, 8)), /boot 1 was born before with another seed/);
});

test("a boot below the newest is taken with its birth; an alarm where the board says that it cannot be", () => {
  const { bench, receive } = setUp();
  const at = (boot: number, prev: BirthMessage["prev"]) => {
    const one = createTestDevice("a", boot);
    return one.seal({ ...one.birth(), prev });
  };
  const presence = (boot: number, state: 0 | 1 | 2) =>
    createTestDevice("a").seal({ type: "presence", boot, connection: 1, state });
  expect(receive(at(9, { boot: 8, seq: 3 })).status).toBe("accepted");
  expect(receive(createTestDevice("a", 8).seal(createTestDevice("a", 8).data(1)))).toMatchObject({ reason: "replay" });
  // 8 says that 5 was before it: 6 then cannot have been. 5 does not say what was before it: 2 may have been.
  expect(receive(at(8, { boot: 5, seq: 1 })).status).toBe("accepted");
  bench.settle();
  expect(receive(at(5, null)).status).toBe("accepted");
  expect(receive(at(2, null)).status).toBe("accepted");
  // The will of a boot that has ended comes late; nobody comes online in it.
  for (const bytes of [presence(8, 0), presence(9, 1)]) expect(receive(bytes).status).toBe("accepted");
  expect(bench.alarms).toEqual([]);
  expect(receive(at(6, { boot: 5, seq: 1 })).status).toBe("accepted");
  expect(receive(presence(8, 1)).status).toBe("accepted");
  expect(bench.alarms.map(({ kind, sentence }) => [kind, sentence])).toEqual([
    [
      "boot regression",
      "boot 6 was born, and before boot 8 its board had boot 5, after boot 9: a clone or a rollback?",
    ],
    ["boot regression", "boot 8 says that it is online, after boot 9: a clone or a rollback?"],
  ]);
});

test("data before their birth are refused as replay, not settled, and accepted once the birth is there", () => {
  const { bench, device, receive, origin } = setUp();
  const early = device.seal(device.data(1));
  expect(receive(early)).toMatchObject({ status: "refused", reason: "replay" });
  receive(device.seal(device.birth()));
  expect(receive(early).status).toBe("accepted");
  bench.settle();
  expect(origin.acks.at(-1)!.next).toBe(2);
});

test("more messages a second than the limit are refused as rate, and taken when time has gone by", () => {
  const { bench, device, receive, origin } = setUp();
  receive(device.seal(device.birth()));
  const bytes = device.seal(device.data(1));
  let verdict = receive(bytes);
  for (let i = 0; i < 5000 && verdict.status !== "refused"; i++) verdict = receive(bytes);
  expect(verdict).toMatchObject({ reason: "rate" });
  expect(origin.counters.duplicates).toBe(3998);
  bench.now += 1000;
  expect(receive(device.seal(device.data(2))).status).toBe("accepted");
});

test("the ack names the lowest unsettled seq and a bit for each one above that is stored (section 4)", () => {
  const { bench, device, receive, origin } = setUp();
  for (const seq of [0, 1, 3, 4, 12]) receive(device.seal(seq === 0 ? device.birth() : device.data(seq)));
  bench.settle();
  // 2 is missing; bits: 3, 4, 5 … 12.
  expect(origin.acks).toHaveLength(1);
  expect(origin.acks[0]).toMatchObject({
    next: 2,
    ofBoot: 1,
    boot: 1,
    bitmap: Uint8Array.of(0b11000000, 0b01000000),
  });
});

test("what a device disowns counts as settled: a declared gap", () => {
  const { bench, device, receive, origin } = setUp();
  receive(device.seal(device.birth()));
  const small = [1, 1, 3, 1];
  receive(device.seal({ type: "event", boot: 1, seq: 4, tick: 5, code: EVENT_DISOWNED, small }));
  bench.settle();
  expect(origin.acks.at(-1)!.next).toBe(5);
  const { devices } = bench.gateway;
  const boot = devices.boot(devices.get(device.kid)!, 1);
  expect(boot.settled.missing).toBe(0);
  expect(boot.disowned.has(3)).toBe(true);
});

test("n of the downlink rises and survives a restart of the gateway on the same store (section 3)", async () => {
  const { openSqliteStore } = await import("../../gateway/store/sqlite.ts");
  const { mkdtempSync, rmSync } = await import("node:fs");
  const folder = mkdtempSync("/tmp/vitalwire-");
  try {
    const device = createTestDevice("a");
    const run = (seqs: number[]) => {
      const bench = createTestGateway(openSqliteStore(`${folder}/store.db`));
      device.enrollAt(bench.gateway);
      const origin = createTestOrigin();
      for (const seq of seqs) {
        bench.gateway.receive(device.seal(seq === 0 ? device.birth() : device.data(seq)), origin);
        bench.settle();
      }
      bench.gateway.close();
      return origin.acks;
    };
    const acks = [...run([0, 1, 2]), ...run([2, 3, 5])];
    expect(acks.map(({ next }) => next)).toEqual([1, 2, 3, 3, 4, 4]);
    for (let i = 1; i < acks.length; i++) expect(acks[i].n).toBeGreaterThan(acks[i - 1].n);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a store that fails acknowledges nothing, and takes the same messages when it works again", () => {
  const { bench, device, receive, origin } = setUp();
  const { store } = bench.gateway;
  const commit = store.commit;
  store.commit = () => {
    throw new Error("disk full");
  };
  receive(device.seal(device.birth()));
  bench.settle();
  expect(origin.acks).toHaveLength(0);
  expect(bench.stored).toHaveLength(0);
  store.commit = commit;
  expect(receive(device.seal(device.birth())).status).toBe("accepted");
  bench.settle();
  expect(origin.acks.at(-1)!.next).toBe(1);
  expect(bench.stored[0].row.position).toBe(1);
});
