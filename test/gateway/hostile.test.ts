/** Whatever an enrolled device, or a stranger, puts into a message: a verdict, never an exception, and nothing else disturbed. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ACK_REFUSED, RANGES_HELD } from "../../gateway/boot.ts";
import { BIRTHS_HELD, BOOTS_HELD } from "../../gateway/devices.ts";
import { decodeEnvelope, sign1 } from "../../protocol/cose.ts";
import { REASONS } from "../../protocol/refusal.ts";
import { createTestDevice, createTestGateway, createTestOrigin } from "../support/gateway.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const device = createTestDevice("a");
const messages = [
  device.birth(),
  device.data(1),
  device.data(2, [0, -131_072, 131_071, 5]),
  { type: "event", boot: 1, seq: 3, tick: 4, code: 8, small: [1, 7, 2, 1] } as const,
  { type: "presence", boot: 1, connection: 1, state: 1 } as const,
].map((message) => device.seal(message));
const payloads = messages.map((message) => decodeEnvelope(message).payload.slice());

const open = () => {
  const bench = createTestGateway();
  device.enrollAt(bench.gateway);
  return { bench, origin: createTestOrigin() };
};
/** Changed, removed, inserted or doubled bytes. */
const mutate = (bytes: Uint8Array, edits: readonly (readonly [number, number, number])[]) => {
  const out = [...bytes];
  for (const [kind, where, value] of edits) {
    const at = where % (out.length + 1);
    if (kind === 0 && at < out.length) out[at] = value;
    else if (kind === 1) out.splice(at, 1 + (value % 4));
    else if (kind === 2) out.splice(at, 0, value);
    else out.splice(at, 0, ...out.slice(at, at + value));
  }
  return Uint8Array.from(out).subarray(0, 4096);
};
const edits = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(5000), fc.integer({ min: 0, max: 255 })), {
  minLength: 1,
  maxLength: 4,
});

test("payloads that are mutated and then validly signed give a verdict with a fixed word, and the gateway goes on", () => {
  const { bench, origin } = open();
  bench.gateway.receive(messages[0], origin);
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.nat(payloads.length - 1), edits, (which, change) => {
      bench.now += 1000;
      const verdict = bench.gateway.receive(
        sign1(mutate(payloads[which], change).subarray(0, 3900), device.signer),
        origin,
      );
      bench.settle();
      // What contradicts what is stored ends in quarantine: a person lets it go on.
      bench.gateway.devices.release(device.kid, bench.now);
      if (verdict.status === "refused") expect(REASONS).toContain(verdict.reason);
      seen.add(verdict.status === "refused" ? verdict.reason : verdict.status);
    }),
    { numRuns: 1500 },
  );
  // It went deep: payload rules, order, codecs and duplicates were all reached.
  for (const word of ["payload", "replay", "codec", "accepted", "duplicate"]) expect(seen).toContain(word);
  const fresh = createTestDevice("b");
  fresh.enrollAt(bench.gateway);
  expect(bench.gateway.receive(fresh.seal(fresh.birth()), createTestOrigin()).status).toBe("accepted");
});

test("messages that are mutated after they were signed are never accepted", () => {
  const { bench, origin } = open();
  bench.gateway.receive(messages[0], origin);
  bench.settle();
  fc.assert(
    fc.property(fc.nat(messages.length - 1), edits, (which, change) => {
      bench.now += 1000;
      const bytes = mutate(messages[which], change);
      const verdict = bench.gateway.receive(bytes, origin);
      if (messages.some((message) => Buffer.compare(message, bytes) === 0)) return;
      expect(verdict.status).toBe("refused");
    }),
    { numRuns: 1500 },
  );
});

test("a device that names another boot in every message fills no memory, and loses nothing by it", () => {
  const { bench, origin } = open();
  const { devices } = bench.gateway;
  bench.gateway.receive(messages[0], origin);
  bench.settle();
  const held = () => devices.get(device.kid)!.boots.size;
  const invalid = (boot: number) =>
    sign1(Uint8Array.of(0x86, 1, 0x19, boot >> 8, boot & 255, 5, 0, 1, 0x80), device.signer);
  for (let boot = 1000; boot < 1300; boot++) {
    // Of a boot without a birth: refused, nothing to commit.
    const early = { ...device.data(1), boot };
    expect(bench.gateway.receive(device.seal(early), origin)).toMatchObject({ status: "refused", reason: "replay" });
    expect(held()).toBeLessThanOrEqual(BOOTS_HELD + 1);
  }
  for (let boot = 2000; boot < 2300; boot++) {
    // Authentic and invalid: settled, with a commit each.
    expect(bench.gateway.receive(invalid(boot), origin)).toMatchObject({ status: "refused", reason: "payload" });
    bench.settle();
    expect(held()).toBeLessThanOrEqual(BOOTS_HELD + 1);
  }
  const late = { ...device.data(5), boot: 2000 };
  expect(bench.gateway.receive(device.seal(late), origin)).toMatchObject({ detail: expect.stringContaining("before") });
  expect(devices.get(device.kid)!.boots.has(1)).toBe(true);
  expect(bench.gateway.receive(messages[1], origin).status).toBe("accepted");
});

test("of the seqs that were refused only what an ack tells is held, the newest", () => {
  const { bench, origin } = open();
  bench.gateway.receive(messages[0], origin);
  for (let seq = 100; seq < 200; seq++) {
    bench.gateway.receive(sign1(Uint8Array.of(0x86, 1, 1, 0x18, seq, 0, 1, 0x80), device.signer), origin);
  }
  bench.settle();
  expect(origin.acks.at(-1)!.refused.map(({ seq }) => seq)).toEqual(
    Array.from({ length: ACK_REFUSED }, (_, i) => 200 - ACK_REFUSED + i),
  );
  const known = bench.gateway.devices.get(device.kid)!;
  expect(bench.gateway.devices.boot(known, 1).refused.size).toBe(ACK_REFUSED);
});

test("a device that sends every second seq, or a birth of every configuration, fills no memory; acks stay true", () => {
  const { bench, origin } = open();
  bench.gateway.receive(messages[0], origin);
  const { devices } = bench.gateway;
  const boot = devices.boot(devices.get(device.kid)!, 1);
  const send = (message: Parameters<typeof device.seal>[0]) => {
    bench.now += 100;
    return bench.gateway.receive(device.seal(message), origin);
  };
  for (let seq = 2; seq < 2 * (RANGES_HELD + 200); seq += 2) expect(send(device.data(seq)).status).toBe("accepted");
  bench.settle();
  expect(boot.settled.ranges).toBe(RANGES_HELD);
  // What memory has forgotten the store has not, and the next time it is sent the ack tells of it again.
  const forgotten = RANGES_HELD;
  for (let seq = 1; seq < forgotten + 4; seq += 2) send(device.data(seq));
  bench.settle();
  const stuck = origin.acks.at(-1)!.next;
  expect(send(device.data(stuck)).status).toBe("duplicate");
  bench.settle();
  expect(origin.acks.at(-1)!.next).toBeGreaterThan(stuck);
  for (let cfg = 2; cfg < 2 + BIRTHS_HELD + 5; cfg++) send({ ...device.birth(20_000 + cfg), cfg });
  bench.settle();
  expect(boot.births.size).toBe(BIRTHS_HELD);
  const first = { ...device.data(30_000), cfg: 2 };
  expect(send(first)).toMatchObject({ reason: "replay", detail: expect.stringContaining("no birth here yet") });
  expect(send({ ...device.birth(20_002), cfg: 2 }).status).toBe("duplicate");
  expect(send(first).status).toBe("accepted");
});

test("what a device disowns beyond the last seq is not taken for disowned, and all of them can be acknowledged", () => {
  const { bench, origin } = open();
  bench.gateway.receive(messages[0], origin);
  const disown = (seq: number, first: number, count: number) =>
    bench.gateway.receive(
      device.seal({ type: "event", boot: 1, seq, tick: 4, code: 8, small: [1, first, count, 1] }),
      origin,
    );
  disown(1, 2 ** 32 - 2, 3);
  disown(2, 3, 2 ** 32 - 3);
  bench.settle();
  expect(origin.acks.at(-1)!.next).toBe(2 ** 32 - 1);
});

test("a stranger who names old boots in modes M and E has nothing of them read into memory", () => {
  const bench = createTestGateway();
  const speaker = createSpeaker(MODES[1], "hostile");
  speaker.join(bench.gateway);
  for (let boot = 1; boot <= 3; boot++) {
    const one = createSpeaker(MODES[1], "hostile", boot);
    bench.gateway.receive(one.seal(one.birth()), speaker.origin);
  }
  bench.settle();
  const again = createTestGateway(bench.gateway.store);
  speaker.join(again.gateway);
  for (const mode of [MODES[1], MODES[3]]) {
    again.gateway.devices.givePsk(speaker.kid, speaker.psk!, mode.encrypt);
    for (let boot = 1; boot < 50; boot++) {
      const thief = createSpeaker(mode, "no key of it", boot);
      const bytes = thief.seal(thief.data(1));
      // The kid is in the header of both modes, 8 bytes.
      const at = Buffer.from(bytes).indexOf(Buffer.from(thief.kid));
      bytes.set(speaker.kid, at);
      expect(again.gateway.receive(bytes, createTestOrigin())).toMatchObject({ reason: "signature" });
    }
  }
  expect(again.gateway.devices.get(speaker.kid)!.boots.size).toBe(0);
});
