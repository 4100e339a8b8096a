/** Line 16: the tags of a MAX30003's FIFO words, as a vendor's library reads them and as the data sheet has them. */
import { describe, expect, test } from "vitest";
import { createBlock, FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";
import { decode } from "../../drivers/max30003/fifo.ts";
import { MDC_ECG } from "../../protocol/messages.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createFrontEnd, REGISTER } from "./front-end.ts";
import { holds } from "./holds.ts";
import { createWire } from "./wire.ts";
import { createWorld, record, type WorldOptions } from "./world.ts";

/** ETAG, D[5:3] of a word (MAX30001G data sheet, table 47, p. 61, 62). */
const VALID = 0;
const FAST = 1;
const LAST = 2;
const FAST_LAST = 3;
const EMPTY = 6;
const OVERFLOW = 7;

/** The three bytes of a word: D[23:6] the sample, D[5:3] its tag. */
const word = (sample: number, tag: number) => {
  const bits = ((sample & 0x3ffff) << 6) | (tag << 3);
  return [bits >> 16, (bits >> 8) & 255, bits & 255];
};

/** The library's: what is tagged 000 is a sample, 111 resets the FIFO, nothing else is looked at. */
function naive(bytes: readonly number[]): number[] {
  const samples: number[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const tag = (bytes[i + 2]! & 0x38) >> 3;
    if (tag === VALID) samples.push(((bytes[i]! << 24) | (bytes[i + 1]! << 16) | ((bytes[i + 2]! & 0xc0) << 8)) >> 14);
  }
  return samples;
}
/** The driver's own decoder: what it takes of one burst, the tag that ended it, its flags. */
function ours(bytes: readonly number[]) {
  const block = createBlock(64);
  const status = Uint8Array.of(0, 0, 0, 0);
  const end = decode([Uint8Array.of(0, ...bytes), status, status], block);
  return { samples: Array.from(block.samples.subarray(0, block.count)), end, flags: block.flags };
}

type Word = readonly [sample: number, tag: number];
interface Vector {
  readonly what: string;
  readonly words: readonly Word[];
  readonly samples: readonly number[];
  /** Tag that ended it; 0: more words wait. */
  readonly end: number;
  readonly flags?: number;
  /** What the library makes of it; absent: the same. */
  readonly naive?: readonly number[];
}
const vectors: readonly Vector[] = [
  {
    what: "valid words, more behind them",
    words: [
      [5, VALID],
      [-7, VALID],
    ],
    samples: [5, -7],
    end: 0,
  },
  {
    what: "the last one is a sample too",
    words: [
      [5, VALID],
      [-7, LAST],
    ],
    samples: [5, -7],
    end: LAST,
    naive: [5],
  },
  { what: "one word, the last", words: [[9, LAST]], samples: [9], end: LAST, naive: [] },
  {
    what: "fast recovery: time valid, voltage not",
    words: [
      [1, VALID],
      [2, FAST],
      [3, FAST_LAST],
    ],
    samples: [1, 2, 3],
    end: LAST,
    flags: FLAG_SETTLING,
    naive: [1],
  },
  { what: "empty: no sample", words: [[0, EMPTY]], samples: [], end: LAST },
  {
    what: "empty words behind the last",
    words: [
      [4, LAST],
      [0, EMPTY],
      [0, EMPTY],
    ],
    samples: [4],
    end: LAST,
    naive: [],
  },
  {
    what: "overflow: not to be trusted from there",
    words: [
      [4, VALID],
      [5, OVERFLOW],
      [6, VALID],
    ],
    samples: [4],
    end: OVERFLOW,
    naive: [4, 6],
  },
  {
    what: "an unused tag: not either",
    words: [
      [4, VALID],
      [5, 4],
      [6, VALID],
    ],
    samples: [4],
    end: 4,
    naive: [4, 6],
  },
  {
    what: "an unused tag of another kind",
    words: [
      [4, VALID],
      [5, 5],
      [6, LAST],
    ],
    samples: [4],
    end: 5,
    naive: [4],
  },
  {
    what: "the sign edge and both rails",
    words: [
      [-131072, VALID],
      [131071, VALID],
      [-1, VALID],
      [0, VALID],
    ],
    samples: [-131072, 131071, -1, 0],
    end: 0,
    flags: FLAG_SATURATED,
  },
];

describe("line 16: decoder vectors, after the data sheet's table of tags", () => {
  test.each(vectors.map((vector) => [vector.what, vector] as const))("%s", (_, vector) => {
    const bytes = vector.words.flatMap(([sample, tag]) => word(sample, tag));
    expect(ours(bytes)).toEqual({ samples: vector.samples, end: vector.end, flags: vector.flags ?? 0 });
    expect(naive(bytes)).toEqual(vector.naive ?? vector.samples);
  });
});

holds(16, ({ heard }) => {
  const patient = () => createPatient({ seed: 5, index: 0 }).signals.ecg;
  const options = (): WorldOptions => ({
    chips: [
      {
        chip: "max30003",
        inputs: { ecg: patient() },
        interrupt: true,
        on: "chest",
        configuration: { sampleRate: 128 },
      },
    ],
  });
  // as the library does: when EINT says that EFIT words are there, so many are read in one burst
  const world = createWorld(options());
  const wire = createWire(world, 0);
  const frontEnd = createFrontEnd(wire);
  frontEnd.begin();
  const words = ((frontEnd.read(REGISTER.MNGR_INT) >> 19) & 31) + 1;
  const taken: number[] = [];
  frontEnd.write(0x0a, 0);
  while (wire.now < 30) {
    if ((frontEnd.read(REGISTER.STATUS) & 0x800000) !== 0) {
      const bytes = wire.transfer((REGISTER.FIFO_BURST << 1) | 1, ...new Array<number>(3 * words).fill(0)).slice(1);
      taken.push(...naive(bytes));
    }
    wire.delay(5);
  }
  const converted = world.wired[0]!.converted.get("ecg")!.length;
  // one sample of each burst is missing, with no word: a record that runs too fast, and with it every rate that is read from it
  const missing = 1 - taken.length / converted;
  expect(missing).toBeGreaterThan(0.8 / words);
  expect(missing).toBeLessThan(1.2 / words);
  expect(words).toBe(16);

  const record30 = record(options(), 30);
  const truth = record30.world.wired[0]!.converted.get("ecg")!.map(({ code }) => code);
  const [wave] = record30.channels(MDC_ECG);
  const stored = wave!.blocks.flatMap(({ samples }) => Array.from(samples));
  expect(stored.length).toBeGreaterThan(29 * 128);
  expect(stored).toEqual(truth.slice(0, stored.length));
  expect(record30.told).toEqual([]);

  // and one that does overflow is a gap that is told, never samples that do not belong together
  const late = record({ ...options(), faults: [{ kind: "fifo-overflow", chip: "max30003", at: 10, for: 1 }] }, 30);
  expect(late.events("loss")).toHaveLength(1);
  expect(late.events("loss")[0]!.small[2]).toBe(null);
  heard(...late.monitor());
});
