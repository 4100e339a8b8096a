/** A chip that is unplugged for a minute, from its registers to the record: given up once, tried on, and back. */
import { expect, test } from "vitest";
import { FAULT_GIVEN_UP } from "../../drivers/driver.ts";
import { EVENT_FAULT, EVENT_OVERFLOW } from "../../protocol/messages.ts";
import { planFaults } from "../../simulator/faults.ts";
import { createCommanded, ECG, INFRARED, RED, TEMPERATURE } from "./commanded.ts";

const BEGIN = 10;
const END = 70;

test.each([
  { chip: "max30102", waves: [RED, INFRARED], first: RED, others: [ECG, TEMPERATURE] },
  { chip: "max30003", waves: [ECG], first: ECG, others: [RED, INFRARED, TEMPERATURE] },
  { chip: "tmp117", waves: [], first: TEMPERATURE, others: [RED, INFRARED, ECG] },
] as const)(
  "a $chip that is unplugged for 60 s is given up once in the record, and measures again within 5 s",
  ({ chip, waves, first, others }) => {
    const plan = planFaults([{ kind: "unplugged", chip, at: BEGIN, for: END - BEGIN }]);
    const board = createCommanded({ faults: { plan } });
    board.start(0.5);
    board.run(100 - 0.5);
    /** Board time of what came of a channel, s. */
    const times = (id: number) =>
      board
        .data()
        .flatMap(({ tick, channels }) =>
          channels.filter((one) => one.id === id).map(({ dt }) => tick / 1000 + dt / 1e6),
        );
    const faults = board.eventsOf(EVENT_FAULT).map(({ tick, small }) => {
      const [code, channel, detail] = small as [number, number, string];
      return { at: tick / 1000, code, channel, detail };
    });
    const given = faults.filter(({ code }) => code === FAULT_GIVEN_UP);
    expect(given).toHaveLength(1);
    expect(given[0]).toMatchObject({
      channel: first,
      detail: expect.stringMatching(/given up after 30 s; check power/),
    });
    expect(given[0]!.at).toBeGreaterThan(BEGIN + 29);
    expect(given[0]!.at).toBeLessThan(BEGIN + 35);
    expect(faults.at(-1)!.code, "the last word").toBe(FAULT_GIVEN_UP);
    for (const { channel } of faults) expect(channel).toBe(first);
    for (const id of [first, ...waves]) {
      const found = times(id);
      expect(found.filter((at) => at > BEGIN + 1 && at < END)).toEqual([]);
      const back = found.find((at) => at >= END)!;
      expect(back - END).toBeLessThan(5);
      expect(found.filter((at) => at > back).length).toBeGreaterThan(20);
    }
    // each waveform's loss is declared, and nobody can count it
    const losses = board.eventsOf(EVENT_OVERFLOW).map(({ small }) => small);
    expect(losses).toEqual(waves.map((id) => [id, expect.any(Number), null]));
    for (const id of others) expect(times(id).filter((at) => at > BEGIN && at < END).length).toBeGreaterThan(55);
  },
);
