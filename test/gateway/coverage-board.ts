/** A board whose every sample is known: what it sealed, what became of it, and what a report must say of that. */
import fc from "fast-check";
import {
  DISOWNED_EVICTED,
  DISOWNED_POWER,
  EVENT_DISOWNED,
  EVENT_OVERFLOW,
  encodeDisowned,
  type Message,
  type Scalar,
  type Wave,
} from "../../protocol/messages.ts";
import { encodeSamples } from "../../protocol/samples.ts";
import { createTestDevice } from "../support/gateway.ts";

/** us of the board's clock between two samples, and ms from the last one of a message to its tick. */
export const INTERVAL = 10_000;
const LAG = 20;
const SEQS = 2 ** 32;

/** "late": it comes after all that was live. "spared": evicted, told of, and it comes after all. */
const FATES = ["stored", "late", "lost", "evicted", "spared"] as const;
export type Fate = (typeof FATES)[number];

export type Step =
  | { readonly kind: "samples"; readonly n: number; readonly fate: Fate }
  | { readonly kind: "value"; readonly fate: Fate }
  /** Samples that the chip lost; the board tells of them, or forgets to. */
  | { readonly kind: "overflow"; readonly n: number; readonly told: boolean; readonly fate: Fate }
  | { readonly kind: "restart"; readonly ms: number; readonly fate: Fate };

/** How a boot ends: the power is cut, its next birth tells of it, or names its last message, or neither. */
export interface End {
  readonly how: "cut" | "goodbye" | "silence";
  /** ms from the last tick to the one at which it was known to be alive, and how much longer it may have run. */
  readonly alive: number;
  readonly within: number;
  /** What becomes of the events that tell of what was evicted, in this boot and, of a cut, in the next. */
  readonly told: Fate;
}

export interface Script {
  readonly delay: number;
  readonly steps: readonly Step[];
  readonly end: End;
}

const fate = fc.oneof({ arbitrary: fc.constant<Fate>("stored"), weight: 5 }, fc.constantFrom(...FATES));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant("samples" as const), n: fc.integer({ min: 1, max: 100 }), fate }),
    weight: 6,
  },
  fc.record({ kind: fc.constant("value" as const), fate }),
  fc.record({ kind: fc.constant("overflow" as const), n: fc.integer({ min: 1, max: 50 }), told: fc.boolean(), fate }),
  fc.record({ kind: fc.constant("restart" as const), ms: fc.nat(900), fate }),
);
export const scripts: fc.Arbitrary<Script[]> = fc.array(
  fc.record({
    delay: fc.nat(300),
    steps: fc.array(step, { maxLength: 40 }),
    end: fc.record({
      how: fc.constantFrom("cut", "goodbye", "silence"),
      alive: fc.integer({ min: -3000, max: 5000 }),
      within: fc.nat(2000),
      told: fate,
    }),
  }),
  { minLength: 1, maxLength: 4 },
);

/** A stretch of the waveform; `seq` null: the chip lost it. us. */
interface Piece {
  readonly seq: number | null;
  readonly from: number;
  readonly to: number;
  readonly seg: number;
  readonly isRestart: boolean;
  readonly told: boolean;
}

export interface SealedMessage {
  readonly message: Message & { readonly seq: number; readonly boot: number; readonly tick: number };
  readonly fate: Fate;
}

/** A boot that was played. */
export interface Played {
  readonly boot: number;
  readonly sealed: readonly SealedMessage[];
  readonly pieces: readonly Piece[];
  readonly script: Script;
  /** First moment at which each segment may have a sample, us. */
  readonly begins: ReadonlyMap<number, number>;
}

/** Plays a boot; `before`: the boot before it. */
export function play(boot: number, script: Script, before: Played | null): Played {
  const device = createTestDevice("covered", boot);
  const sealed: SealedMessage[] = [];
  const pieces: Piece[] = [];
  let seq = 0;
  let time = (10 + script.delay) * 1000;
  let seg = 0;
  let idx = 0;
  const begins = new Map([[0, time]]);
  const tick = () => time / 1000 + LAG;
  const seal = (message: Record<string, unknown>, become: Fate) => {
    sealed.push({ message: { boot, seq, ...message } as unknown as SealedMessage["message"], fate: become });
    return seq++;
  };
  const event = (code: number, small: Scalar[], become: Fate) =>
    seal({ type: "event", tick: tick(), code, small }, become);

  const last = before?.sealed.at(-1)?.message.seq ?? 0;
  const goodbye = before?.script.end.how === "goodbye" ? { boot: before.boot, seq: last } : null;
  const [channel] = device.birth().channels;
  const channels = [
    { ...channel!, rateMilliHz: 1e9 / INTERVAL },
    { ...channel!, id: 1, rateMilliHz: 0 },
  ];
  seal({ ...device.birth(), channels, prev: goodbye }, "stored");
  const end = before?.script.end;
  if (before !== null && end!.how === "cut") {
    const alive = Math.max(0, before.sealed.at(-1)!.message.tick + end!.alive);
    const disowned = { boot: before.boot, first: last + 1, count: SEQS - last - 1, reason: DISOWNED_POWER };
    event(EVENT_DISOWNED, encodeDisowned({ ...disowned, end: { tick: alive, within: end!.within } }), end!.told);
  }
  for (const one of script.steps) {
    if (one.kind === "value") {
      const channels = [{ kind: "num", id: 1, dt: 0, value: 5, qual: null }];
      seal({ type: "data", tick: tick(), cfg: 1, channels }, one.fate);
    } else if (one.kind === "samples") {
      const from = time;
      time += one.n * INTERVAL;
      const bytes = encodeSamples(1, new Int32Array(one.n), 0, one.n);
      const wave: Wave = {
        kind: "wave",
        id: 0,
        seg,
        idx,
        dt: from - tick() * 1000,
        codec: 1,
        n: one.n,
        bytes,
        qual: null,
      };
      const own = seal({ type: "data", tick: tick(), cfg: 1, channels: [wave] }, one.fate);
      pieces.push({ seq: own, from, to: time, seg, isRestart: false, told: false });
      idx += one.n;
    } else {
      const isRestart = one.kind === "restart";
      const from = time;
      time += isRestart ? one.ms * 1000 : one.n * INTERVAL;
      const told = isRestart || one.told;
      pieces.push({ seq: null, from, to: time, seg, isRestart, told });
      if (told) event(EVENT_OVERFLOW, [0, seg, isRestart ? null : one.n], one.fate);
      if (isRestart) begins.set(++seg, time);
      idx = isRestart ? 0 : idx + one.n;
    }
  }
  // What was evicted is told of in the end, a run of seqs each.
  const evicted = sealed
    .filter((one) => one.fate === "evicted" || one.fate === "spared")
    .map(({ message }) => message.seq);
  for (const first of evicted.filter((one) => !evicted.includes(one - 1))) {
    let count = 1;
    while (evicted.includes(first + count)) count++;
    const disowned = { boot, first, count, reason: DISOWNED_EVICTED, end: null };
    event(EVENT_DISOWNED, encodeDisowned(disowned), script.end.told);
  }
  return { boot, sealed, pieces, script, begins };
}

/** All messages in the order of their arrival. */
export function arrivals(boots: readonly Played[]): SealedMessage[] {
  const all = boots.flatMap(({ sealed }) => sealed);
  return [
    ...all.filter((one) => one.fate === "stored"),
    ...all.filter((one) => one.fate === "late" || one.fate === "spared").toReversed(),
  ];
}

export const isHere = ({ fate }: SealedMessage) => fate === "stored" || fate === "late" || fate === "spared";
