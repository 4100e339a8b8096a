const MAX_U32 = 2 ** 32 - 1;

/** A set of whole numbers as sorted, disjoint, non-adjacent intervals: small however long the run, and however hostile. */
export class Intervals {
  /** [from, to] pairs, both included. */
  private readonly held: [number, number][] = [];
  private readonly most: number;
  private forgot = false;

  /** `most`: ranges held; above it those in the middle are forgotten, so that both ends stay exact. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.most = most;
  }

  /** How many of them are held. */
  get ranges(): number {
    return this.held.length;
  }

  /** Nothing of what was added was forgotten. */
  get whole(): boolean {
    return !this.forgot;
  }

  /** The intervals, rising: [from, to], both included. Not to be kept across an `add`. */
  get list(): readonly (readonly [number, number])[] {
    return this.held;
  }

  /** How many numbers it holds. */
  get size(): number {
    let sum = 0;
    for (const [from, to] of this.held) sum += to - from + 1;
    return sum;
  }

  add(from: number, to = from): void {
    if (to < from) return;
    const ranges = this.held;
    const start = this.above(from - 1);
    let end = start;
    let low = from;
    let high = to;
    while (end < ranges.length && ranges[end][0] <= high + 1) {
      low = Math.min(low, ranges[end][0]);
      high = Math.max(high, ranges[end][1]);
      end++;
    }
    ranges.splice(start, end - start, [low, high]);
    if (ranges.length <= this.most) return;
    ranges.splice(ranges.length >> 1, 1);
    this.forgot = true;
  }

  has(value: number): boolean {
    return this.endOf(value) !== undefined;
  }

  /** The last number of the interval that holds `value`; undefined: none does. */
  endOf(value: number): number | undefined {
    const range = this.held[this.above(value)];
    return range !== undefined && value >= range[0] ? range[1] : undefined;
  }

  /** How many of the numbers from..to it holds. */
  count(from: number, to: number): number {
    let sum = 0;
    for (let i = this.above(from); i < this.held.length && this.held[i][0] <= to; i++) {
      sum += Math.min(to, this.held[i][1]) - Math.max(from, this.held[i][0]) + 1;
    }
    return sum;
  }

  /** Place of the first range that ends at `value` or above. */
  private above(value: number): number {
    const ranges = this.held;
    // Nearly always the new number follows the last one.
    let low = ranges.length;
    if (low === 0 || ranges[low - 1][1] < value) return low;
    low = 0;
    let high = ranges.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[middle][1] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The lowest number from 0 on that is not in it; 2^32 - 1, the highest that an ack can tell, where there is none below. */
  get next(): number {
    const first = this.held[0];
    return first === undefined || first[0] > 0 ? 0 : Math.min(first[1] + 1, MAX_U32);
  }

  /** The highest number in it; -1 when empty. */
  get highest(): number {
    return this.held.length === 0 ? -1 : this.held[this.held.length - 1][1];
  }

  /** Numbers from 0 to the highest that are not in it, those forgotten among them. */
  get missing(): number {
    return this.highest + 1 - this.size;
  }

  /** Bit 7-i of byte 0 is `next + 1 + i`; as many bytes as needed, at most 32 (PROTOCOL.md section 2, ack). */
  bitmap(): Uint8Array {
    const base = this.next + 1;
    const bits = Math.min(256, Math.max(0, this.highest - base + 1));
    const bytes = new Uint8Array(Math.ceil(bits / 8));
    for (let i = 0; i < bits; i++) if (this.has(base + i)) bytes[i >> 3] |= 0x80 >> (i & 7);
    return bytes;
  }
}
