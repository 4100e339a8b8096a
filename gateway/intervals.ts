/** A set of whole numbers as sorted, disjoint, non-adjacent intervals: small however long the run, and however hostile. */
export class Intervals {
  /** [from, to] pairs, both included. */
  private readonly ranges: [number, number][] = [];

  add(from: number, to = from): void {
    if (to < from) return;
    const ranges = this.ranges;
    // Nearly always the new number follows the last one.
    let start = ranges.length;
    while (start > 0 && ranges[start - 1][1] >= from - 1) start--;
    let end = start;
    let low = from;
    let high = to;
    while (end < ranges.length && ranges[end][0] <= high + 1) {
      low = Math.min(low, ranges[end][0]);
      high = Math.max(high, ranges[end][1]);
      end++;
    }
    ranges.splice(start, end - start, [low, high]);
  }

  has(value: number): boolean {
    for (let i = this.ranges.length - 1; i >= 0; i--) {
      if (value > this.ranges[i][1]) return false;
      if (value >= this.ranges[i][0]) return true;
    }
    return false;
  }

  /** The lowest number from 0 on that is not in it. */
  get next(): number {
    const first = this.ranges[0];
    return first === undefined || first[0] > 0 ? 0 : first[1] + 1;
  }

  /** The highest number in it; -1 when empty. */
  get highest(): number {
    return this.ranges.length === 0 ? -1 : this.ranges[this.ranges.length - 1][1];
  }

  /** Numbers from 0 to the highest that are not in it. */
  get missing(): number {
    let held = 0;
    for (const [from, to] of this.ranges) held += to - from + 1;
    return this.highest + 1 - held;
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
