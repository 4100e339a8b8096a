/** What is there and what is missing of one waveform of one boot, message by message in the order of their seqs. */

/** A missing stretch lies between two messages of the boot. */
export interface Missing {
  /** Seqs of the messages around it; `before` 2^32: nothing came any more. */
  readonly after: number;
  readonly before: number;
  /** Where all messages between them are there: something in them says that samples were lost. */
  readonly told: boolean;
}

/** Part of a boot, by the board's clock, us since boot. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** null: its samples are stored. */
  readonly missing: Missing | null;
  /** Its length is known to within so much, us. */
  readonly uncertain: number;
}

/** A message and its time, us since boot. */
export interface Moment {
  readonly seq: number;
  readonly time: number;
}

/** Seqs from..to that are not stored, and the times of the messages around them. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  readonly before: number;
  readonly after: number;
}

/** A block of samples: `time` of its first one, us; `interval` that its birth declares, us. */
export interface Block extends Moment {
  readonly seg: number;
  readonly idx: number;
  readonly n: number;
  readonly interval: number;
}

interface Run {
  idx: number;
  n: number;
  readonly missing: Missing | null;
}

interface Segment {
  readonly seg: number;
  readonly interval: number;
  readonly first: Block;
  last: Block;
  /** Index behind the last sample. */
  next: number;
  readonly runs: Run[];
  /** Where the stretch before the segment begins that counts; null: none does. */
  readonly gap: { readonly from: number; readonly missing: Missing } | null;
}

/** A shorter piece of a segment says too little of the chip's own interval, us. */
const MEASURED = 10e6;
/** A chip whose interval differs by more from what it declares has another fault. */
const OFF = 0.1;
/** A waveform that says nothing for so long, while messages come, had ended by itself, us; and for so many of its blocks. */
const QUIET = 10e6;
const QUIET_BLOCKS = 3;

export interface Track {
  readonly heard: boolean;
  block(block: Block): void;
  /** Event 4: of this segment so many samples are lost. */
  lost(seg: number, count: number): void;
  /** A command has stopped the chip, or started it again. */
  stop(at: Moment): void;
  start(at: Moment): void;
  /** The last message, and where the board says that the boot ended: nothing more is added. */
  end(last: Moment, cut: { readonly time: number; readonly within: number } | null): Stretch[];
}

/** `born`: the birth that defines it. `holes` are those up to the message at hand, rising: the caller adds to them. */
export function createTrack(born: Moment, holes: readonly Hole[]): Track {
  const stretches: Stretch[] = [];
  const losses = new Map<number, number>();
  /** The last message with its samples, or what began it; and where those end. */
  let known: Moment = born;
  let heard = false;
  let segment: Segment | null = null;
  let stopped: Moment | null = null;
  let started: Moment | null = null;
  /** The time of its longest block, us: so much at least is sent together. */
  let longest = 0;

  const isQuiet = (time: number) => time > Math.max(QUIET, QUIET_BLOCKS * longest);
  const push = (from: number, to: number, missing: Missing | null, uncertain = 0) => {
    if (to > from || (to === from && uncertain > 0)) stretches.push({ from, to, missing, uncertain });
  };
  /** Samples that a segment's messages say were lost, once: enough for these? */
  const isTold = (seg: number, n: number) => {
    const told = losses.get(seg) ?? 0;
    losses.set(seg, Math.max(0, told - n));
    return told >= n;
  };
  const holesBetween = (after: number, before: number) => {
    let low = 0;
    for (let high = holes.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (holes[middle]!.from > after) high = middle;
      else low = middle + 1;
    }
    let end = low;
    while (end < holes.length && holes[end]!.to < before) end++;
    return holes.slice(low, end);
  };

  /** From its indices to the board's clock, by the interval at which its blocks came. */
  const close = () => {
    if (segment === null) return;
    const { first, last, runs, gap, next } = segment;
    const samples = last.idx - first.idx;
    const measured = samples > 0 ? (last.time - first.time) / samples : segment.interval;
    const sound = Math.abs(measured / segment.interval - 1) < OFF && samples * segment.interval >= MEASURED;
    const interval = sound ? measured : segment.interval;
    const at = (idx: number) => first.time + (idx - first.idx) * interval;
    if (gap !== null) push(gap.from, at(0), gap.missing, interval);
    for (const { idx, n, missing } of runs) push(at(idx), at(idx + n), missing);
    known = { seq: last.seq, time: at(next) };
    segment = null;
  };
  /** What is missing behind the last samples: where messages are missing, up to the message `until`. */
  const tail = (until: number) => {
    for (const hole of holesBetween(known.seq, until)) {
      // what came right behind the last samples was in a message of the hole
      const from = isQuiet(hole.before - known.time) ? hole.before : known.time;
      push(from, hole.after, { after: hole.from - 1, before: hole.to + 1, told: false });
      known = { seq: hole.to, time: Math.max(known.time, hole.after) };
    }
  };
  const settleStop = () => {
    if (stopped === null) return;
    tail(stopped.seq);
    if (started !== null) known = started;
  };
  const gapBefore = (block: Block, old: number | null): Segment["gap"] => {
    const missing = { after: known.seq, before: block.seq, told: true };
    if (stopped === null && old !== null) return { from: known.time, missing };
    // Where it has just begun a segment of its own may be missing in a hole: else the chip took its time.
    const expected = old === null ? 0 : old + 1;
    if (stopped !== null && started === null) return null;
    const skipped = block.seg > expected && holesBetween(known.seq, block.seq).length > 0;
    return skipped ? { from: known.time, missing } : null;
  };

  const begin = (block: Block) => {
    const old = segment?.seg ?? null;
    close();
    settleStop();
    const gap = gapBefore(block, old);
    stopped = null;
    started = null;
    for (const seg of losses.keys()) if (seg < block.seg) losses.delete(seg);
    const runs: Run[] = [];
    if (block.idx > 0) {
      const missing = { after: known.seq, before: block.seq, told: isTold(block.seg, block.idx) };
      runs.push({ idx: 0, n: block.idx, missing });
    }
    runs.push({ idx: block.idx, n: block.n, missing: null });
    const { seg, interval, idx, n } = block;
    segment = { seg, interval, first: block, last: block, next: idx + n, runs, gap };
    known = block;
    heard = true;
  };

  return {
    get heard() {
      return heard;
    },
    block(block) {
      longest = Math.max(longest, block.n * block.interval);
      if (segment === null || block.seg > segment.seg || block.interval !== segment.interval) {
        begin(block);
        return;
      }
      const { next, runs } = segment;
      // What overlaps is there once; what is of a segment that has ended breaks the order, and counts nowhere.
      if (block.seg < segment.seg || block.idx + block.n <= next) return;
      const ahead = block.idx - next;
      if (ahead > 0) {
        const missing = { after: segment.last.seq, before: block.seq, told: isTold(block.seg, ahead) };
        runs.push({ idx: next, n: ahead, missing });
      }
      const end = block.idx + block.n;
      const run = runs.at(-1)!;
      if (run.missing === null) run.n = end - run.idx;
      else runs.push({ idx: block.idx, n: block.n, missing: null });
      segment.last = block;
      segment.next = end;
    },
    lost(seg, count) {
      losses.set(seg, (losses.get(seg) ?? 0) + count);
    },
    stop(at) {
      stopped ??= at;
      started = null;
    },
    start(at) {
      if (stopped !== null) started = at;
    },
    end(last, cut) {
      close();
      settleStop();
      if (stopped !== null && started === null) return stretches;
      tail(last.seq + 1);
      if (cut === null) return stretches;
      const from = isQuiet(last.time - known.time) ? last.time : known.time;
      push(from, Math.max(from, cut.time), { after: last.seq, before: 2 ** 32, told: true }, cut.within);
      return stretches;
    },
  };
}
