/** Nominal and measured rates travel together: what a chip was told to do, and what it did (FAULTS.md 3). */
import { expect, test } from "vitest";
import { readBoot } from "../../../gateway/read.ts";
import { decodeRecord } from "../../../gateway/record.ts";
import { play } from "./record.ts";

test("of an oscillator that is 1 % off the store holds the rate that the birth says, and the one that was measured", async () => {
  const { ward } = await play(
    [
      { kind: "oscillator", chip: "max30003", percent: -1 },
      { kind: "oscillator", chip: "max30102", percent: 1 },
    ],
    90,
  );
  const { node } = ward.boards[0];
  const boot = readBoot(ward.gateway.store, node.signer.kid, node.boot)!;
  const records = [...ward.gateway.store.messages(node.signer.kid)].map(({ record }) => decodeRecord(record));
  const expected = [
    ["red", 100, 1.01],
    ["infrared", 100, 1.01],
    ["ecg", 256, 0.99],
  ] as const;
  const waves = [...boot.channels.values()].filter(({ blocks }) => blocks.length > 0);
  expect(waves).toHaveLength(expected.length);
  for (const [i, [name, nominal, ratio]] of expected.entries()) {
    const { definition, blocks } = waves[i]!;
    expect(definition.rateMilliHz, name).toBe(nominal * 1000);
    const last = records
      .flatMap(({ clock }) => clock?.channels ?? [])
      .filter(({ id }) => id === definition.id)
      .at(-1)!;
    const hertz = last.rate / 1e6;
    // the measured one is sure of the difference, and right
    expect(last.uncertainty / 1e9, name).toBeLessThan(0.005);
    expect(Math.abs(hertz / (nominal * ratio) - 1), name).toBeLessThanOrEqual(last.uncertainty / 1e9);
    // and what is read from the store stands at its measured distance, beside the declared one
    expect(blocks.at(-1)!.rateMilliHz, name).toBe(nominal * 1000);
    expect((blocks.at(-1)!.interval * nominal * ratio) / 1e6, name).toBeCloseTo(1, 2.5);
  }
  await ward.stop();
});
