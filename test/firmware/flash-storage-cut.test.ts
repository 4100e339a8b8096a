/** Storage on flash, and the boot number on it: the power goes within every operation there is, and again while it recovers. */
import { expect, test } from "vitest";
import { createSimulatedFlash, type Leaves, PowerCut, type SimulatedFlash } from "../../boards/simulated-flash.ts";
import { startBoot } from "../../firmware/boot.ts";
import { createFlashStorage } from "../../firmware/flash-storage.ts";
import { encode } from "../../protocol/cbor.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createRandom } from "../../simulator/random.ts";

const LEAVES: readonly Leaves[] = ["nothing", "part", "all"];
const NAMES = ["boot", "time", "outbox", "end"];
const make = () => createSimulatedFlash({ pageSize: 512, pages: 3, random: createRandom("cuts").uniform });

/** Whether the power, cut after so many more operations, went within `work`: then it is back. */
function cuts(flash: SimulatedFlash, after: number, leaves: Leaves, work: () => void): boolean {
  flash.cutAfter(after, leaves);
  try {
    work();
    flash.cutAfter(null);
    return false;
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
    flash.powerOn();
    return true;
  }
}
const all = (flash: SimulatedFlash) => {
  const storage = createFlashStorage(flash);
  return NAMES.map((name) => String(storage.read(name)));
};

test("cut at every operation of 300 writes, and at every one of the recovery: the last whole value of each name, or the new one", () => {
  const flash = make();
  const random = createRandom("writes");
  const expected: string[] = NAMES.map(() => "undefined");
  let operations = 0;
  let cases = 0;
  for (let k = 0; k < 300; k++) {
    const name = Math.floor(random.uniform() * NAMES.length);
    const bytes = random.bytes(Math.floor(random.uniform() * 40));
    const next = random.bytes(9);
    const start = flash.snapshot();
    const old = expected.slice();
    const after = expected.with(name, String(bytes));
    for (let at = 0, within = true; within; at++) {
      for (const leaves of LEAVES) {
        flash.restore(start);
        within = cuts(flash, at, leaves, () => createFlashStorage(flash).write(NAMES[name], bytes));
        if (!within) break;
        const torn = flash.snapshot();
        const seen = all(flash);
        if (String(seen) !== String(old)) expect(seen).toEqual(after);
        // Whichever it is: from now on it is that one, also where the power goes while it is brought in order.
        const nextName = (name + at) % NAMES.length;
        const then = seen.with(nextName, String(next));
        for (let again = 0, more = true; more; again++) {
          flash.restore(torn);
          const which = LEAVES[Math.floor(random.uniform() * 3)];
          more = cuts(flash, again, which, () => createFlashStorage(flash).write(NAMES[nextName], next));
          expect(more ? [seen, then] : [then]).toContainEqual(all(flash));
          cases++;
        }
      }
      operations = at;
    }
    flash.restore(start);
    createFlashStorage(flash).write(NAMES[name], bytes);
    expected[name] = String(bytes);
    expect(all(flash)).toEqual(expected);
    if (String(old) !== String(after)) expect(operations).toBeGreaterThanOrEqual(3);
  }
  expect(Math.min(...flash.wear)).toBeGreaterThan(3);
  expect(cases).toBeGreaterThan(10_000);
});

test("cut at every operation of a board's starts and ends, and again: no boot number is used twice, and each is above those before", () => {
  const { kid } = testOnlySigner("device");
  const flash = make();
  const random = createRandom("boots");
  /** One life of a board up to where the power goes: the number that it sealed with, null where it got none. */
  let used: number | null = null;
  const live = () => {
    const storage = createFlashStorage(flash);
    const entropy = random.bytes(8);
    const started = startBoot({ storage, kid, psk: new Uint8Array(32), entropy, crypto: nodeCrypto });
    used = started.boot;
    storage.write("time", encode([started.boot, Math.floor(random.uniform() * 1e9)]));
    started.end(7);
  };
  const lifeOf = (after: number, leaves: Leaves) => {
    used = null;
    const cut = cuts(flash, after, leaves, live);
    return { cut, used: used as number | null };
  };
  let branches = 0;
  let highest = 0;
  for (let k = 1; k <= 60; k++) {
    const start = flash.snapshot();
    for (let at = 0, within = true; within; at++) {
      for (const leaves of LEAVES) {
        flash.restore(start);
        const sealed = [highest];
        const first = lifeOf(at, leaves);
        within = first.cut;
        if (!within) break;
        if (first.used !== null) sealed.push(first.used);
        // Two lives more that end somewhere, then one that does not.
        for (const limit of [12, 12, 1e9]) {
          const more = lifeOf(Math.floor(random.uniform() * limit), LEAVES[Math.floor(random.uniform() * 3)]);
          if (more.used !== null) sealed.push(more.used);
        }
        for (let i = 1; i < sealed.length; i++) expect(sealed[i]).toBeGreaterThan(sealed[i - 1]);
        expect(sealed.length).toBeGreaterThan(1);
        branches++;
      }
    }
    flash.restore(start);
    live();
    expect(used).toBe(k);
    highest = k;
  }
  expect(branches).toBeGreaterThan(1000);
});
