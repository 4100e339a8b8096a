/** Every kind of fault that the record shows, from the registers to the store: while it lasts, and that it is over afterwards. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reportOf } from "../../../cli/demo-report.ts";
import { FLAG_LEAD_OFF, FLAG_SATURATED } from "../../../drivers/driver.ts";
import { codes, mean, type Played, play, spread } from "./record.ts";

const LIGHT = "max30102";
const HEART = "max30003";
const WARMTH = "tmp117";
const MOST = 2 ** 18 - 1;
const wards: Played["ward"][] = [];
afterAll(async () => {
  for (const ward of wards) await ward.stop();
});
const played = async (...args: Parameters<typeof play>) => {
  const result = await play(...args);
  wards.push(result.ward);
  return result;
};

describe("faults of what is measured", () => {
  const lasts = { for: 3 };
  let record: Played;
  beforeAll(async () => {
    record = await played(
      [
        { kind: "swapped-leds", chip: LIGHT, at: 6, ...lasts },
        { kind: "saturation", chip: LIGHT, at: 12, ...lasts, light: 1e5 },
        {
          kind: "ambient-light",
          chip: LIGHT,
          at: 18,
          ...lasts,
          current: 150,
          constant: 40,
          drift: 0,
          flicker: 30,
          mains: 60,
        },
        { kind: "stuck-value", chip: LIGHT, at: 24, ...lasts },
        { kind: "noise-burst", chip: LIGHT, at: 30, ...lasts },
        { kind: "motion", chip: LIGHT, at: 36, ...lasts, amplitude: 10 },
        { kind: "finger-off", chip: LIGHT, at: 42, ...lasts },
        { kind: "lead-off", chip: HEART, at: 6, ...lasts, electrode: "negative" },
        { kind: "saturation", chip: HEART, at: 12, ...lasts },
        { kind: "stuck-value", chip: HEART, at: 24, ...lasts },
        { kind: "noise-burst", chip: HEART, at: 30, ...lasts, amplitude: 0.002 },
      ],
      48,
    );
  }, 60_000);
  /** Within the fault that began then, and of as long before it and after it. */
  const about = (name: string, at: number) => ({
    before: record.wave(name, at - 2.9, at - 0.1),
    during: record.wave(name, at + 0.15, at + 2.85),
    after: record.wave(name, at + 3.15, at + 5.85),
  });
  const means = (name: string, at: number) => {
    const { before, during, after } = about(name, at);
    return [before, during, after].map((samples) => mean(codes(samples)));
  };
  const spreads = (name: string, at: number) => {
    const { before, during, after } = about(name, at);
    return [before, during, after].map((samples) => spread(codes(samples)));
  };

  test("swapped LEDs: each light reads as the other one did", () => {
    const [red, swappedRed, redAgain] = means("red", 6);
    const [infrared, swappedInfrared] = means("infrared", 6);
    expect(infrared! / red!).toBeGreaterThan(1.1);
    expect(swappedRed! / infrared!).toBeCloseTo(1, 1.5);
    expect(swappedInfrared! / red!).toBeCloseTo(1, 1.5);
    expect(redAgain! / red!).toBeCloseTo(1, 1.5);
  });

  test("saturation: the converters are at their end, and say so", () => {
    const light = about("infrared", 12).during;
    expect(new Set(codes(light))).toEqual(new Set([MOST]));
    const heart = about("ecg", 12).during;
    expect(new Set(codes(heart))).toEqual(new Set([(MOST - 1) / 2]));
    for (const { flags } of [...light, ...heart]) expect(flags & FLAG_SATURATED).toBe(FLAG_SATURATED);
    expect(spreads("ecg", 12)[2]).toBeGreaterThan(100);
  });

  test("ambient light: as much is added to both, and flickers; what the chip can take away does not show", () => {
    const [red, lit] = means("red", 18);
    const [infrared, litInfrared] = means("infrared", 18);
    expect(lit! - red!).toBeGreaterThan(3000);
    expect((lit! - red!) / (litInfrared! - infrared!)).toBeCloseTo(1, 0.5);
    const [calm, flickering, again] = spreads("red", 18);
    expect(flickering).toBeGreaterThan(2 * calm!);
    expect(again).toBeLessThan(2 * calm!);
  });

  test("a stuck value: the same code, to the last bit, and no noise", () => {
    for (const name of ["red", "infrared", "ecg"]) {
      const [before, during, after] = spreads(name, 24);
      expect(during).toBe(0);
      expect(before).toBeGreaterThan(1);
      expect(after).toBeGreaterThan(1);
    }
  });

  test("a noise burst: as much noise as was asked for", () => {
    const [before, during, after] = spreads("ecg", 30);
    // 2 mV at a gain of 20 and 2^17 codes a volt
    expect(Math.sqrt(during! ** 2 - before! ** 2) / (0.002 * 20 * 2 ** 17)).toBeCloseTo(1, 1);
    expect(after).toBeLessThan(1.5 * before!);
    const [calm, noisy, again] = spreads("red", 30);
    expect(noisy).toBeGreaterThan(5 * calm!);
    expect(again).toBeLessThan(2 * calm!);
  });

  test("motion: some times the pulse, around the same light", () => {
    const [calm, moved, again] = spreads("infrared", 36);
    expect(moved).toBeGreaterThan(3 * calm!);
    expect(again).toBeLessThan(2 * calm!);
    const [light, shaken] = means("infrared", 36);
    expect(Math.abs(shaken! / light! - 1)).toBeLessThan(0.05);
  });

  test("a finger that is removed and put back: next to no light, and the same light again", () => {
    const [light, none, again] = means("infrared", 42);
    expect(none! / light!).toBeLessThan(0.01);
    expect(again! / light!).toBeCloseTo(1, 1.5);
  });

  test("an electrode off: flagged and named, at the rail, and over when it is on again", () => {
    const { before, during, after } = about("ecg", 6);
    for (const { flags } of during) expect(flags & FLAG_LEAD_OFF).toBe(FLAG_LEAD_OFF);
    for (const { flags } of before) expect(flags & FLAG_LEAD_OFF).toBe(0);
    expect(mean(codes(during))).toBe(-(MOST + 1) / 2);
    expect(record.faults(6, 9).join()).toContain("lead off: ECGN");
    expect(after.at(-1)!.flags & FLAG_LEAD_OFF).toBe(0);
  });

  test("the truth names all of them with their chips and times, in order", () => {
    expect(record.truth).toHaveLength(22);
    expect(record.truth[0]).toEqual({ kind: "swapped-leds", board: 0, chip: LIGHT, state: "began", at: 6 });
    expect(record.truth.at(-1)).toEqual({ kind: "finger-off", board: 0, chip: LIGHT, state: "ended", at: 45 });
    expect(record.truth.map(({ at }) => at)).toEqual(record.truth.map(({ at }) => at).sort((a, b) => a - b));
  });
});

describe("faults of chips and buses", () => {
  const BACK = 5;
  const at = { nack: 6, "wrong-id": 16, unplugged: 26, "brown-out": 36, "stuck-sda": 46, "fifo-overflow": 56 } as const;
  const spans = { nack: 2, "wrong-id": 2, unplugged: 2, "brown-out": 0, "stuck-sda": 2, "fifo-overflow": 0.6 } as const;
  let record: Played;
  beforeAll(async () => {
    const both = (["wrong-id", "unplugged", "brown-out", "fifo-overflow"] as const).flatMap((kind) =>
      [LIGHT, HEART].map((chip) => ({ kind, chip, at: at[kind], for: spans[kind] })),
    );
    record = await played(
      [
        { kind: "nack", chip: LIGHT, at: at.nack, for: spans.nack },
        { kind: "stuck-sda", chip: LIGHT, at: at["stuck-sda"], for: spans["stuck-sda"], clocks: "never" },
        { kind: "wrong-id", chip: WARMTH, at: at["wrong-id"], for: spans["wrong-id"] },
        ...both,
      ],
      64,
    );
  }, 60_000);

  const words: readonly (readonly [keyof typeof at, readonly string[]])[] = [
    ["nack", ["MAX30102 at address 0x57"]],
    ["wrong-id", ["PART_ID (0xff) reads 0x11, not 0x15", "INFO reads 0x20", "Device_ID reads 0x75"]],
    ["unplugged", ["MAX30102 at address 0x57", "MAX30003: CNFG_GEN reads 0xffffff"]],
    ["brown-out", ["MAX30102 at 0x57: lost its registers", "MAX30003: CNFG_GEN reads 0x4"]],
    ["stuck-sda", ["no answ"]],
    ["fifo-overflow", ["MAX30003: FIFO overflow"]],
  ];
  test.each(words)("%s: the board says what it sees, and both waveforms go on soon after its end", (kind, all) => {
    const end = at[kind] + spans[kind];
    const told = record.faults(at[kind], end + BACK).join("\n");
    for (const one of all) expect(told).toContain(one);
    for (const [name, rate] of [
      ["infrared", 100],
      ["ecg", 256],
    ] as const) {
      const before = record.wave(name, at[kind] - 1.5, at[kind] - 0.5);
      expect(Math.abs(before.length - rate)).toBeLessThan(3);
      const back = record.wave(name, end + BACK - 1.5, end + BACK - 0.5);
      expect(Math.abs(back.length - rate)).toBeLessThan(3);
    }
  });

  test("a chip without power gives nothing, and only its own waveform stops", () => {
    for (const name of ["infrared", "ecg"]) expect(record.wave(name, 26.2, 28)).toEqual([]);
    expect(record.wave("infrared", 6.2, 7.9)).toEqual([]);
    expect(record.wave("ecg", 6.2, 7.8).length).toBeGreaterThan(400);
  });

  test("a FIFO that nobody reads loses what it cannot hold: 0.32 s of light fit, and of an ECG all that lay there goes too", () => {
    const missing = (name: string, rate: number) => rate * 3 - record.wave(name, 55.5, 58.5).length;
    expect(missing("infrared", 100)).toBeGreaterThan(20);
    expect(missing("infrared", 100)).toBeLessThan(40);
    expect(missing("ecg", 256)).toBeGreaterThan(0.4 * 256);
    expect(missing("ecg", 256)).toBeLessThan(0.7 * 256);
    expect(record.losses(56, 60).length).toBeGreaterThan(0);
  });
});

describe("faults of the way to the gateway, and of oscillators", () => {
  let record: Played;
  beforeAll(async () => {
    record = await played(
      [
        { kind: "serial-garbage", board: 0, at: 5, for: 6, share: 0.6, rate: 400 },
        { kind: "broker-gone", board: 1, at: 6, for: 8 },
        { kind: "oscillator", board: 0, chip: HEART, percent: -1 },
      ],
      30,
      2,
    );
  }, 60_000);

  test("damaged lines are refused and sent again; what a broker did not take follows; nothing is missing at the end", () => {
    const { boards } = reportOf(record.ward, { seed: 1 }, 30);
    const [serial, mqtt] = boards.map(({ packets }) => packets);
    expect(serial!.rejected).toBeGreaterThan(1);
    for (const packets of [serial!, mqtt!]) expect(packets).toMatchObject({ verified: packets.produced, gaps: 0 });
    for (const channel of boards.flatMap(({ channels }) => channels))
      expect(channel.storedSha256).toBe(channel.sourceSha256);
  });

  test("while the broker is gone nothing of that board arrives, and the other one goes on", () => {
    const arrived = (place: number) => {
      const rows = [...record.ward.gateway.store.messages(record.ward.boards[place].node.signer.kid)];
      return rows.filter(({ received }) => {
        const at = (received - 1_767_225_600_000) / 1000;
        return at > 6 && at < 14;
      }).length;
    };
    expect(arrived(1)).toBe(0);
    expect(arrived(0)).toBeGreaterThan(4);
  });

  test("an oscillator 1 % slow gives 1 % fewer samples, and only of its chip", () => {
    const [ecg, infrared] = [record.ward.boards[0], record.ward.boards[1]].map(
      ({ node }) => node.sources.find(({ name }) => name === "ecg")!.samples,
    );
    expect(ecg! / infrared!).toBeCloseTo(0.99, 3);
    const [slow, usual] = record.ward.boards.map(
      ({ node }) => node.sources.find(({ name }) => name === "red")!.samples,
    );
    expect(Math.abs(slow! - usual!)).toBeLessThan(10);
  });
});

test("a plan whose time never comes changes no sample: a chip that can fail is the chip itself", async () => {
  const later = [LIGHT, HEART, WARMTH].flatMap((chip) => [
    { kind: "stuck-value" as const, chip, at: 1000 },
    { kind: "unplugged" as const, chip, at: 1000 },
  ]);
  const [none, planned] = [await played(null, 8), await played(later, 8)];
  expect(planned.sources).toEqual(none.sources);
  expect(planned.truth).toEqual([]);
});

test("a chip that is another one from the start is refused when it is opened, and measured once it is the right one", async () => {
  const { wave, faults } = await played([{ kind: "wrong-id", chip: HEART, at: 0, for: 4 }], 12);
  expect(faults(0, 4).join()).toContain("INFO reads 0x20");
  expect(wave("ecg", 10, 11).length).toBeGreaterThan(250);
});
