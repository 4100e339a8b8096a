/** The runtime in its modes: what a board that had to let go of messages, or cannot sign, still proves. */
import { describe, expect, test } from "vitest";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { type BirthMessage, decodeMessage } from "../../protocol/messages.ts";
import { createVirtualNode, type SealMode } from "../../simulator/node.ts";
import { through } from "../support/between.ts";

const good = { seed: 1, keeps: 0, deaf: 0, delay: 0, twice: 0 };

describe("a board whose outbox was too small while nobody listened", () => {
  test.each<SealMode>([
    { mode: "sign", encrypt: false },
    { mode: "mac", encrypt: false },
    { mode: "mac", encrypt: true },
  ])("in %j: every seq is stored or declared as dropped, and what is left of a batch is still proven", (seal) => {
    const { runtime, stored, missing, disowned, levels, manifests } = through(
      { ...good, seal, away: 400, room: 8000 },
      430,
    );
    const gone = Array.from({ length: runtime.produced }, (_, seq) => seq).filter((seq) => !stored.includes(seq));
    expect(gone.length).toBeGreaterThan(100);
    for (const seq of gone) expect(disowned.has(seq), `seq ${seq}`).toBe(true);
    expect(missing).toBe(0);
    const covered = new Set(manifests.map(({ seq }) => seq));
    for (const { first, hashes } of manifests) for (let i = 0; i < hashes.length / 16; i++) covered.add(first + i);
    for (const [seq, level] of levels)
      expect(level, `seq ${seq}`).toBe(seal.mode === "sign" || covered.has(seq) ? 3 : 2);
    // manifests are given up after waveforms: those of the last minutes are there
    if (seal.mode === "mac") expect(manifests.length).toBeGreaterThan(1);
  });
});

test("a board that cannot sign makes no manifest, and nothing of it is device-signed", () => {
  const { runtime, stored, manifests, levels } = through(
    { ...good, seal: { mode: "mac", encrypt: false }, signs: false },
    70,
  );
  expect(stored).toHaveLength(runtime.produced);
  expect(manifests).toEqual([]);
  expect(new Set(levels.values())).toEqual(new Set([2]));
});

test("a birth tells where the boot before ended, where that was kept", () => {
  const storage = createMemoryStorage();
  const boot = (ends: boolean) => {
    const clock = createVirtualClock();
    let birth: BirthMessage | null = null;
    const node = createVirtualNode({
      clock,
      seed: 1,
      index: 0,
      noise: true,
      seal: { mode: "mac", encrypt: false },
      gateways: [],
      boot: () => storage,
      link: () => ({
        presence: false,
        open: (events) => events.onUp(1),
        send(letter, bytes) {
          if (letter === "b") birth = decodeMessage(decodeMac0(bytes).payload) as BirthMessage;
          return true;
        },
        close: (done) => done(),
      }),
    });
    node.runtime.start();
    clock.runUntil(2e6);
    node.runtime.stop(() => {});
    clock.runUntil(10e6);
    if (ends) node.ended();
    return { birth: birth as BirthMessage | null, last: node.runtime.produced - 1 };
  };
  const first = boot(true);
  expect(first.birth).toMatchObject({ boot: 1, prev: null });
  const second = boot(false);
  expect(second.birth).toMatchObject({ boot: 2, prev: { boot: 1, seq: first.last } });
  // as after a power cut
  expect(boot(true).birth).toMatchObject({ boot: 3, prev: null });
});
