/** A whole board with its outbox in flash: registers in, record out, through outages and power cuts. */
import { describe, expect, test } from "vitest";
import type { Storage } from "../../boards/board.ts";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { createSimulatedFlash, holdUp, type SimulatedFlash } from "../../boards/simulated-flash.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { LinkEvents } from "../../firmware/link.ts";
import { BACKFILL_RATE } from "../../firmware/runtime.ts";
import { levelsOf } from "../../gateway/evidence.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import { readBoot } from "../../gateway/read.ts";
import { openStored } from "../../gateway/record.ts";
import { encodeCard } from "../../protocol/card.ts";
import { decodeDisowned, type EventMessage, type Message } from "../../protocol/messages.ts";
import { createVirtualNode, type SealMode } from "../../simulator/node.ts";
import { createTestGateway, gatewayKey, site } from "../support/gateway.ts";

const SIGN: SealMode = { mode: "sign", encrypt: false };

/** A gateway, and what of a board outlives its power. */
function world(seal: SealMode, pages: number) {
  const test = createTestGateway();
  const storage: Storage = createMemoryStorage();
  let hold = (_us: number) => {};
  const flash: SimulatedFlash = createSimulatedFlash({ pageSize: 4096, pages, spend: (us) => hold(us) });
  let epoch = test.now;
  return {
    ...test,
    flash,
    /** A boot of `seconds`, whose link is up from `up` on (s); ends by a power cut, or with `ends` by a goodbye. */
    boot(seconds: number, up: number, ends: boolean) {
      const clock = createVirtualClock();
      const sent: { at: number; bytes: Uint8Array }[] = [];
      let events: LinkEvents | null = null;
      let live = true;
      const origin: Origin = {
        name: "test",
        counters: createCounters(),
        reply: (message) => void clock.at(clock.now + 20_000, () => live && events?.onMessage(message)),
      };
      const node = createVirtualNode({
        clock,
        seed: 1,
        index: 0,
        noise: true,
        seal,
        gateways: [gatewayKey],
        boot: () => storage,
        entropy: new Uint8Array([clock.now, epoch & 255]),
        outboxBytes: 16_384,
        log: (board) => {
          hold = holdUp(clock, board.stall);
          return { flash, writeAfter: 0, markEvery: 10_000 };
        },
        link: (signer, psk) => {
          const { kid, publicKey } = signer;
          const card = { issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt: 0, expires: 4e9 } as const;
          test.gateway.devices.enroll(encodeCard(card, site), site.publicKey, true);
          if (psk !== null) test.gateway.devices.givePsk(kid, psk, seal.encrypt);
          return {
            presence: false,
            open: (given) => {
              events = given;
              clock.at(up * 1e6, () => given.onUp(1));
            },
            send(_letter, bytes) {
              sent.push({ at: clock.now / 1e6, bytes });
              clock.at(clock.now + 20_000, () => {
                test.now = epoch + clock.now / 1000;
                test.gateway.receive(bytes, origin);
                test.settle();
              });
              return true;
            },
            close: (done) => done(),
          };
        },
      });
      node.runtime.start();
      clock.runUntil(seconds * 1e6);
      if (ends) {
        node.runtime.stop(() => {});
        clock.runUntil((seconds + 20) * 1e6);
        node.ended();
      }
      live = false;
      hold = () => {};
      epoch += clock.now / 1000;
      return { node, sent, kid: node.signer.kid, boot: node.boot };
    },
    /** Every message of a boot that is stored. */
    messages: (kid: Uint8Array, boot: number): Message[] =>
      [...test.gateway.store.messages(kid, boot)].filter(({ space }) => space === 0).map(openStored),
  };
}

test("flash that holds the board for 85 ms at each erasure costs no sample, and what waited is there in the end", () => {
  const { boot, messages, gateway, flash } = world(SIGN, 64);
  const one = boot(150, 90, true);
  expect(Math.max(...flash.wear)).toBeGreaterThan(0);
  expect(flash.busy).toBeGreaterThan(1e6);
  const stored = readBoot(gateway.store, one.kid, one.boot)!;
  const samples = [...stored.channels.values()]
    .filter(({ blocks }) => blocks.length > 0)
    .map(({ blocks }) => blocks.reduce((sum, block) => sum + block.samples.length, 0));
  expect(samples).toEqual(one.node.sources.map((source) => source.samples));
  const found = messages(one.kid, one.boot);
  expect(found).toHaveLength(one.node.runtime.produced);
  // vitals outlive waveforms: they travel alone
  for (const message of found)
    if (message.type === "data") expect(new Set(message.channels.map(({ kind }) => kind)).size).toBe(1);
});

test("after an outage: births, events, the newest data and vitals, then what is behind, oldest first and at a bounded rate, beside what is new", () => {
  const up = 240;
  const { boot, stored } = world(SIGN, 256);
  const { sent, node } = boot(360, up, true);
  expect(sent[0]!.at).toBe(up);
  const arrived = stored.map(({ message }) => message).filter((message) => "seq" in message);
  const ticks = arrived.map(({ tick }) => tick / 1000);
  const isOld = (i: number) => ticks[i]! < up - 5;
  // first what is needed to read it and what happened, then how it is now
  const data = arrived.findIndex(({ type }) => type === "data");
  expect(arrived.slice(0, data).every(({ type }) => type === "birth" || type === "event")).toBe(true);
  expect(ticks[data]!).toBeGreaterThan(up - 2);
  // what is behind comes in its order
  const behind = arrived.filter((message, i) => message.type === "data" && isOld(i));
  const waves = behind.filter((message) => message.type === "data" && message.channels[0]!.kind === "wave");
  expect(waves.length).toBeGreaterThan(200);
  expect(waves.map(({ seq }) => seq)).toEqual(waves.map(({ seq }) => seq).sort((a, b) => a - b));
  // what is new is not held up by it
  for (const { message, received } of stored.map((one) => ({ ...one, received: one.row.received }))) {
    if (message.type !== "data" || message.tick < up * 1000) continue;
    expect(received - 1_800_000_000_000 - message.tick).toBeLessThan(200);
  }
  // bytes of each second: the new ones, a third of what may be behind at most
  const bySecond = new Map<number, number>();
  for (const { at, bytes } of sent) bySecond.set(Math.floor(at), (bySecond.get(Math.floor(at)) ?? 0) + bytes.length);
  bySecond.delete(up);
  expect(Math.max(...bySecond.values())).toBeLessThan(BACKFILL_RATE + 4096);
  expect(node.runtime.outbox.count).toBe(0);
});

describe.each<SealMode>([SIGN, { mode: "mac", encrypt: false }, { mode: "mac", encrypt: true }])("in %j", (seal) => {
  test("what a boot had written when its power was cut comes with the next one, device-signed; its end is told", () => {
    const { boot, messages, gateway } = world(seal, 64);
    const first = boot(100.4, 1000, false);
    const second = boot(60, 2, true);
    expect([first.boot, second.boot]).toEqual([1, 2]);
    const found = messages(first.kid, 1);
    const seqs = found.map((message) => ("seq" in message ? message.seq : -1)).sort((a, b) => a - b);
    // all but what was in RAM, the last second of it
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, seq) => seq));
    expect(first.node.runtime.produced - seqs.length).toBeLessThanOrEqual(2);
    const levelOf = levelsOf(gateway.store, first.kid, 1);
    for (const row of gateway.store.messages(first.kid, 1))
      if (row.space === 0) expect(levelOf(row), `seq ${row.seq}`).toBe(3);
    const told = messages(first.kid, 2)
      .filter((message): message is EventMessage => message.type === "event")
      .flatMap((event) => decodeDisowned(event) ?? []);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ boot: 1, first: seqs.length, count: 2 ** 32 - seqs.length, reason: 2 });
    const { tick, within } = told[0]!.end!;
    expect(tick).toBeLessThanOrEqual(100_400);
    expect(tick + within).toBeGreaterThan(100_400);
    // and nothing is left, nor told again, after a clean end
    const third = boot(20, 1, true);
    expect(messages(third.kid, 3).some((message) => message.type === "event" && message.code === 8)).toBe(false);
    expect(third.sent.length).toBeLessThan(48);
  });
});
