/** What of a boot's messages was heard: gaps and repetitions, for a listener who may come late. */
import { Intervals } from "../../gateway/intervals.ts";

/** Board time between a message that is sent again and what is new, ms: a board repeats after five seconds. */
const OLD = 4000;

/**
 * The seqs of one boot. Joining in the middle is not a gap, and what a board repeats from before the joining (its birth, or
 * all that nobody has acknowledged) does not make one.
 */
export class Sequence {
  private readonly heard = new Intervals();
  /** Those, and what the device has said it will never send. */
  private readonly told = new Intervals();
  /** What counts for gaps: from here on. */
  private base = -1;
  private newest: { seq: number; tick: number; arrival: number | null } = { seq: -1, tick: 0, arrival: null };
  private onlyBirths = true;
  duplicates = 0;

  /**
   * Takes one message; true where it was heard before. `tick`: ms of the board's clock; `arrival`: ms of the host's, null
   * where it is not known.
   */
  add(message: { seq: number; tick: number; birth: boolean }, arrival: number | null): boolean {
    const { seq, tick } = message;
    if (this.base < 0 || this.joinsHere(seq, tick, arrival)) this.base = seq;
    // What was declared lost and comes after all is heard for the first time.
    const again = this.heard.has(seq);
    if (again) this.duplicates++;
    this.heard.add(seq);
    this.told.add(seq);
    if (seq > this.newest.seq) this.newest = { seq, tick, arrival };
    if (!message.birth) this.onlyBirths = false;
    return again;
  }

  /** Seqs that the device has said it will never send; `count` may reach to the last there is. */
  disown(first: number, count: number): void {
    this.told.add(first, first + count - 1);
  }

  /** Messages between the first and the newest heard that are missing without a word. */
  get gaps(): number {
    if (this.base < 0) return 0;
    return this.heard.highest + 1 - this.base - this.told.count(this.base, this.heard.highest);
  }

  /** Messages between them that the device has declared lost, and that were not heard. */
  get lost(): number {
    if (this.base < 0) return 0;
    const top = this.heard.highest;
    return this.told.count(this.base, top) - this.heard.count(this.base, top);
  }

  /** Was all that we heard up to now older than our listening? Then it is with this message that we joined. */
  private joinsHere(seq: number, tick: number, arrival: number | null): boolean {
    const { newest } = this;
    if (seq <= newest.seq + 1) return false;
    const went = tick - newest.tick;
    if (arrival !== null && newest.arrival !== null) return went > arrival - newest.arrival + OLD;
    return this.onlyBirths && went > OLD;
  }
}
