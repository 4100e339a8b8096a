/**
 * Collects samples and values into data messages. A wave block ends where its flags change, where samples were lost, or
 * where it is full; `seg` rises where nobody knows how many were lost (PROTOCOL.md section 2).
 */
import type { Block } from "../drivers/driver.ts";
import { makeQual, type Num, type Wave } from "../protocol/messages.ts";
import { encodeBest, encodeSamples } from "../protocol/samples.ts";

export type Codec = "raw24" | "delta" | "rice";

/** Samples in one wave block, and channels' blocks in one message, at most (CDDL). */
const BLOCK_CAPACITY = 1024;
const MESSAGE_BLOCKS = 16;
/** A message is sealed early above this many bytes of samples: 4096 less envelope and headers. */
const MESSAGE_BYTES = 3000;

interface OpenWave {
  readonly id: number;
  readonly samples: Int32Array;
  count: number;
  /** idx and board time (us) of the first sample. */
  idx: number;
  time: number;
  flags: number;
  quality: number | null;
  /** Where the channel stands. */
  seg: number;
  nextIdx: number;
}

interface ClosedWave {
  readonly id: number;
  readonly seg: number;
  readonly idx: number;
  readonly time: number;
  readonly codec: 0 | 1 | 2;
  readonly n: number;
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly quality: number | null;
}

interface Value {
  readonly id: number;
  readonly time: number;
  readonly value: number | null;
  readonly flags: number;
  readonly quality: number | null;
}

export interface Packer {
  /**
   * Takes a block of a waveform channel with its nominal sampling interval in us, its flags, and its quality, 0 to 100, if
   * known: a wave has that of its last block. Returns what was lost before it: a count, 0, or null where it is unknown.
   */
  addBlock(id: number, block: Block, interval: number, flags: number, quality: number | null): number | null;
  /** Takes one value at a board time in us; null needs a flag. `quality`: of its signal, 0 to 100, if known. */
  addValue(id: number, time: number, value: number | null, flags: number, quality?: number | null): void;
  /** The next sample of this channel begins a new segment. Returns the segment that ended. */
  startSegment(id: number): number;
  segment(id: number): number;
  /** true: seal now, another poll may not fit. */
  readonly full: boolean;
  readonly empty: boolean;
  /**
   * Hands over all that was collected, with dt relative to `tick` (ms), at most 16 a call, waveforms first; `empty` says when to
   * stop.
   */
  take(tick: number): (Wave | Num)[];
}

const qualOf = (quality: number | null, flags: number): number | null =>
  flags === 0 && quality === null ? null : makeQual(quality, flags);

/** `apart`: values never travel with waveforms. */
export function createPacker(codec: Codec, apart: boolean): Packer {
  const waves: OpenWave[] = [];
  const closed: ClosedWave[] = [];
  const values: Value[] = [];
  let bytes = 0;

  const waveOf = (id: number): OpenWave => {
    for (let i = 0; i < waves.length; i++) if (waves[i].id === id) return waves[i];
    const samples = new Int32Array(BLOCK_CAPACITY);
    const wave: OpenWave = { id, samples, count: 0, idx: 0, time: 0, flags: 0, quality: null, seg: 0, nextIdx: 0 };
    waves.push(wave);
    return wave;
  };
  const closeWave = (wave: OpenWave): void => {
    if (wave.count === 0) return;
    const n = wave.count;
    const coded =
      codec === "rice"
        ? encodeBest(wave.samples, 0, n)
        : codec === "delta"
          ? { codec: 1 as const, bytes: encodeSamples(1, wave.samples, 0, n) }
          : { codec: 0 as const, bytes: encodeSamples(0, wave.samples, 0, n) };
    closed.push({
      id: wave.id,
      seg: wave.seg,
      idx: wave.idx,
      time: wave.time,
      codec: coded.codec,
      n,
      bytes: coded.bytes,
      flags: wave.flags,
      quality: wave.quality,
    });
    bytes += coded.bytes.length;
    wave.count = 0;
  };
  const startSegment = (wave: OpenWave): number => {
    closeWave(wave);
    const ended = wave.seg;
    wave.seg++;
    wave.nextIdx = 0;
    return ended;
  };

  return {
    addBlock(id, block, interval, flags, quality) {
      const wave = waveOf(id);
      if (block.lost > 0) {
        closeWave(wave);
        wave.nextIdx += block.lost;
      } else if (block.lost < 0) {
        startSegment(wave);
      }
      if (wave.count > 0 && flags !== wave.flags) closeWave(wave);
      let from = 0;
      while (from < block.count) {
        if (wave.count === BLOCK_CAPACITY) closeWave(wave);
        if (wave.count === 0) {
          wave.time = block.time + from * interval;
          wave.idx = wave.nextIdx;
          wave.flags = flags;
        }
        wave.quality = quality;
        const room = Math.min(block.count - from, BLOCK_CAPACITY - wave.count);
        wave.samples.set(block.samples.subarray(from, from + room), wave.count);
        wave.count += room;
        wave.nextIdx += room;
        from += room;
        if (from < block.count) closeWave(wave);
      }
      return block.lost < 0 ? null : block.lost;
    },
    addValue(id, time, value, flags, quality) {
      values.push({ id, time, value, flags, quality: quality ?? null });
    },
    startSegment: (id) => startSegment(waveOf(id)),
    segment: (id) => waveOf(id).seg,
    get full() {
      let open = 0;
      for (let i = 0; i < waves.length; i++) if (waves[i].count > 0) open++;
      return bytes > MESSAGE_BYTES || closed.length + open + values.length > MESSAGE_BLOCKS - 2;
    },
    get empty() {
      if (closed.length > 0 || values.length > 0) return false;
      for (let i = 0; i < waves.length; i++) if (waves[i].count > 0) return false;
      return true;
    },
    take(tick) {
      for (let i = 0; i < waves.length; i++) closeWave(waves[i]);
      const origin = tick * 1000;
      const channels: (Wave | Num)[] = [];
      let taken = 0;
      while (closed.length > 0 && channels.length < MESSAGE_BLOCKS) {
        const wave = closed[0];
        if (taken > 0 && taken + wave.bytes.length > MESSAGE_BYTES) break;
        taken += wave.bytes.length;
        closed.shift();
        channels.push({
          kind: "wave",
          id: wave.id,
          seg: wave.seg,
          idx: wave.idx,
          dt: Math.round(wave.time - origin),
          codec: wave.codec,
          n: wave.n,
          bytes: wave.bytes,
          qual: qualOf(wave.quality, wave.flags),
        });
      }
      const room = apart && taken > 0 ? 0 : MESSAGE_BLOCKS;
      while (closed.length === 0 && values.length > 0 && channels.length < room) {
        const value = values[0];
        values.shift();
        channels.push({
          kind: "num",
          id: value.id,
          dt: Math.round(value.time - origin),
          value: value.value,
          qual: qualOf(value.quality, value.flags),
        });
      }
      bytes -= taken;
      return channels;
    },
  };
}
