/** An outbox over simulated flash, and what is asked of it after a power cut: nothing but what it has said. */
import type { Flash, Storage } from "../../boards/board.ts";
import { createMemoryStorage, createSimulatedBoard } from "../../boards/simulated.ts";
import type { SimulatedFlash } from "../../boards/simulated-flash.ts";
import { createVirtualClock, type VirtualClock } from "../../boards/virtual-clock.ts";
import type { Kind, LogSettings, Outbox, Run, Sealed } from "../../firmware/outbox.ts";
import { createOutbox } from "../../firmware/outbox.ts";
import type { AckMessage } from "../../protocol/messages.ts";

const ACKED = 1;
const DURABLE = 2;

/** What a boot made, and what became of it, by seq. */
export interface Life {
  readonly kinds: Kind[];
  readonly sizes: number[];
  /** ACKED, DURABLE (and so perhaps sent). */
  readonly fates: Uint8Array;
}

/** Over all boots, by their number. */
export interface Truth {
  readonly lives: Map<number, Life>;
  /** Told by an event 8 that is durable, or that somebody has. */
  readonly told: Run[];
}

export const newTruth = (): Truth => ({ lives: new Map(), told: [] });
/** One that may be changed. */
const copyOf = ({ lives, told }: Truth): Truth => ({
  lives: new Map([...lives].map(([boot, life]) => [boot, { ...life, fates: life.fates.slice() }])),
  told: told.slice(),
});

/** The bytes of a message: another one's differ. */
function bytesOf(boot: number, seq: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 37 + seq * 101 + boot * 59 + (seq >> 3)) & 255;
  bytes[0] = seq & 255;
  bytes[1] = seq >> 8;
  bytes[2] = boot & 255;
  return bytes;
}

export interface Bench {
  readonly clock: VirtualClock;
  readonly outbox: Outbox;
  readonly boot: number;
  /** Makes a message of a size between 60 and 560 bytes. */
  make(kind: Kind, size: number, tells?: Run): void;
  /** Lets the flash work until it has nothing to do. */
  run(): void;
  /** The gateway says that it has these. */
  ack(messages: readonly Sealed[]): void;
  /** Tells what can be told. */
  tell(): void;
}

/** A boot of a board with this flash. */
export function bench(
  flash: Flash,
  storage: Storage,
  boot: number,
  truth: Truth,
  settings: Partial<LogSettings> & { readonly capacity?: number } = {},
): Bench {
  const clock = createVirtualClock();
  const life: Life = { kinds: [], sizes: [], fates: new Uint8Array(20_000) };
  truth.lives.set(boot, life);
  const outbox = createOutbox({
    board: createSimulatedBoard(clock, storage),
    boot,
    capacity: settings.capacity ?? 4096,
    log: { flash, writeAfter: 0, markEvery: 10_000, ...settings },
    onDurable({ boot: of, seq, about }) {
      truth.lives.get(of)!.fates[seq]! |= DURABLE;
      if (about.tells !== undefined) truth.told.push(about.tells);
    },
    onFailed(error) {
      throw error;
    },
  });
  const one: Bench = {
    clock,
    outbox,
    boot,
    make(kind, size, tells) {
      const seq = life.kinds.length;
      life.kinds.push(kind);
      life.sizes.push(size);
      outbox.add(kind, boot, seq, bytesOf(boot, seq, size), tells === undefined ? {} : { tells });
    },
    run() {
      while (outbox.backlog !== null && !outbox.backlog.log.idle && clock.step());
    },
    ack(messages) {
      for (const { boot: of, seq, about } of messages) {
        truth.lives.get(of)!.fates[seq]! |= ACKED;
        if (about.tells !== undefined) truth.told.push(about.tells);
      }
      for (const of of new Set(messages.map((message) => message.boot))) {
        const { fates, kinds } = truth.lives.get(of)!;
        const settled = fates.slice(0, kinds.length + 1);
        for (const run of truth.told) if (run.boot === of) settled.fill(ACKED, run.first, run.last + 1);
        const has = (seq: number) => (settled[seq]! & ACKED) !== 0;
        let next = 0;
        while (has(next)) next++;
        const bitmap = new Uint8Array(32);
        for (let bit = 0; bit < 256; bit++) if (has(next + 1 + bit)) bitmap[bit >> 3]! |= 0x80 >> (bit & 7);
        const kid = new Uint8Array(8);
        const ack: AckMessage = { type: "ack", kid, boot, n: 0, ofBoot: of, next, bitmap, refused: [] };
        outbox.settle(ack);
      }
    },
    tell() {
      for (const run of outbox.takeGone(false)) one.make("event", 100, run);
    },
  };
  return one;
}

const nameOf = (boot: number, seq: number) => `boot ${boot} seq ${seq}`;

/** Reads all that is left, as a link would that gets an ack for each message; throws where one is not as it was made. */
export function drain({ outbox, ack, tell, run }: Bench, truth: Truth): Set<string> {
  const found = new Set<string>();
  for (let idle = 0; idle < 12; ) {
    const message = outbox.load();
    if (message === null) {
      idle++;
      for (const one of outbox.waiting) {
        found.add(nameOf(one.boot, one.seq));
        one.sentAt = 0;
      }
      ack(outbox.waiting);
      // what an ack cannot reach before it is told of what is gone waits for that
      tell();
      run();
      continue;
    }
    idle = 0;
    message.sentAt = 0;
    const { boot, seq, kind, bytes } = message;
    const life = truth.lives.get(boot);
    const size = life?.sizes[seq];
    if (size === undefined) throw new Error(`${nameOf(boot, seq)} was never made`);
    if (kind !== life!.kinds[seq] || Buffer.compare(bytes, bytesOf(boot, seq, size)) !== 0)
      throw new Error(`${nameOf(boot, seq)} (${kind}) is not what was made`);
    found.add(nameOf(boot, seq));
  }
  return found;
}

/** Storage whose contents can be copied: what a power cut leaves of it. */
export function copiedStorage(storage: Storage): Storage {
  const copy = createMemoryStorage();
  const bytes = storage.read("outbox");
  if (bytes !== undefined) copy.write("outbox", bytes);
  return copy;
}

/**
 * The next boot after a power cut: everything of before is settled, in the log, or named; what was durable does not go with the
 * power; the end is told within its bound; opening takes 50 ms for 100 kB at most; and it goes on. Throws Error otherwise.
 */
export function checkRecovery(flash: SimulatedFlash, storage: Storage, cut: Bench, before: Truth): void {
  const truth = copyOf(before);
  const { boot } = cut;
  const busy = flash.busy;
  const next = bench(flash, storage, boot + 1, truth);
  const opening = flash.busy - busy;
  if (opening > (50_000 * flash.pages * flash.pageSize) / 100_000) throw new Error(`opening took ${opening} us`);
  const early = next.outbox.gone;
  const tails = early.filter(({ boot: of, reason }) => of === boot && reason === 2);
  next.make("birth", 200);
  next.run();
  const found = drain(next, truth);
  // a torn record is found when it is read
  const runs = [...truth.told, ...early, ...next.outbox.gone];
  for (const [of, { kinds, fates }] of before.lives) {
    const has = (seq: number) => (fates[seq]! & ACKED) !== 0 || found.has(nameOf(of, seq));
    for (let seq = 0; seq < kinds.length; seq++) {
      if (has(seq)) {
        // data without their birth are of no use
        if (kinds[seq] === "data" && found.has(nameOf(of, seq)) && !has(0))
          throw new Error(`${nameOf(of, seq)} is there, its birth is not`);
        continue;
      }
      const run = runs.find((one) => one.boot === of && seq >= one.first && seq <= one.last);
      if (run === undefined) throw new Error(`${nameOf(of, seq)} (${kinds[seq]}) is nowhere, and nobody says so`);
      if (run.reason === 2 && (fates[seq]! & DURABLE) !== 0)
        throw new Error(
          `${nameOf(of, seq)} (${kinds[seq]}) was durable, and went with the power: ${JSON.stringify(runs.filter((one) => one.boot === of))}`,
        );
    }
  }
  if (tails.length !== 1) throw new Error(`${tails.length} ends of boot ${boot} are told`);
  const { end } = tails[0]!;
  const aliveAt = cut.clock.now / 1000;
  if (end !== null && (end.tick > aliveAt || aliveAt >= end.tick + end.within))
    throw new Error(`alive at ${aliveAt} ms, told is ${end.tick} and ${end.within} more`);
  for (let i = 0; i < 12; i++) next.make("data", 400);
  next.run();
  if (next.outbox.waiting.some(({ address }) => address === null)) throw new Error("the next boot writes nothing");
}
