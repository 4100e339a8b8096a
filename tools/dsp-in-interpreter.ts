/** The interpreter's side of dsp-cost.ts: an object at work, timed. Device dialect. */
import type { Measured } from "./dsp-objects.ts";

/** Signals as they cross: plain arrays of the names of `Signals`. */
export interface Data {
  readonly ecg128: readonly number[];
  readonly ecg256: readonly number[];
  readonly red: readonly number[];
  readonly infrared: readonly number[];
  readonly temperature: readonly number[];
  readonly beats: readonly number[];
}

/** us so far, of this program alone where the system tells. */
type Clock = () => number;

/** How long each figure is measured at least, us: the clock goes in steps of some ms. */
const LONG = 200000;

/**
 * Tells the variables that the object takes, then for each of `runs` us a turn of an empty loop and us a unit.
 * `used`: variables in use, what is garbage left out.
 */
export function measure(
  one: Measured,
  create: unknown,
  data: Data,
  runs: number,
  say: (figure: number) => void,
  clock: Clock,
  used: () => number,
): void {
  const signals = {
    ecg128: new Int32Array(data.ecg128),
    ecg256: new Int32Array(data.ecg256),
    red: new Int32Array(data.red),
    infrared: new Int32Array(data.infrared),
    temperature: new Int32Array(data.temperature),
    beats: new Int32Array(data.beats),
  };
  const before = used();
  const first = one.open(create, signals);
  first.run(0, first.begin);
  say(used() - before);
  for (let run = 0; run < runs; run++) {
    let from = clock();
    // No name of an outer scope in it: looking that up is what would be measured.
    for (let i = 0; i < 50000; i++);
    say((clock() - from) / 50000);
    let time = 0;
    let units = 0;
    while (time < LONG) {
      const work = one.open(create, signals);
      work.run(0, work.begin);
      from = clock();
      work.run(work.begin, work.length);
      time += clock() - from;
      units += work.length - work.begin;
    }
    say(time / units);
  }
}
