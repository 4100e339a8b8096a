/**
 * `evaluate temperature`: what the temperature filter that ships shows of synthetic skins, held against the truth: where the
 * sensor would come to rest at that moment. The sensor follows it with one time constant, and its chip adds noise and steps.
 * Skin and filter share the model of one time constant: real contact has several, so the figures say what the filter makes
 * of it, not how well a thermometer measures a person.
 */
import { createTemperatureFilter, SETTLED_WITHIN } from "../../firmware/dsp/temperature.ts";
import { createRandom } from "../random.ts";
import { breath } from "./detections.ts";
import { chips, type Story, stories, type TemperatureChip, warm } from "./temperature-signals.ts";

/** An error above it, K, is wrong: what a clinical thermometer may have (ASTM E1112: 0.1 Cel from 37 to 39). */
export const WRONG = 0.1;
/** s */
const TIME_CONSTANTS = [10, 30, 60, 100, 300];
const SKINS = 2;
/** What is settled so soon after contact, s, has been settled in the room. */
const ANEW = 32;
/** How many readings the plain mean has. */
const PLAIN = 8;

export interface TemperatureErrors {
  /** Root mean square and largest, K, 3 decimals; null where nothing was shown. */
  readonly rms: number | null;
  readonly max: number | null;
}

/** `rms` and `max`: of what was shown as settled, on the body. */
export interface TemperatureFigures extends TemperatureErrors {
  /** Share of the time on the body that is shown as settled; of that, with an error above 0.1 K; percent. */
  readonly settled: number;
  readonly wrong: number | null;
  /** From contact to settled, s: the median over contacts; null where most never settled. */
  readonly settledAfter: number | null;
  /** On the body, and still settled at the room's temperature, s: the longest time. Its errors count nowhere else. */
  readonly unnoticed: number;
  /** Taken off, and shown as settled, s in all: first the body's temperature still, in the end the room's. */
  readonly settledOff: number;
  /** While it settles: its errors, and the share of that time that has a prediction, percent. No value, so counted apart. */
  readonly predicted: TemperatureErrors & { readonly coverage: number | null };
}

export interface TemperatureRow extends TemperatureFigures {
  readonly story: string;
  readonly chip: string;
  /** hz */
  readonly rate: number;
  /** s */
  readonly timeConstant: number;
}

/** What somebody else would show, who has no flag that says when not to believe it. */
export interface TemperaturePeer {
  readonly name: string;
  /** Over all of the time on the body. */
  readonly always: TemperatureErrors;
  /** While the filter that ships shows settled. */
  readonly whereSettled: TemperatureErrors;
}

type Group = TemperatureFigures & { readonly name: string };

export interface TemperatureDocument extends TemperatureFigures {
  /** Of the filter, K. */
  readonly tolerance: number;
  /** The filter's value whatever its flag says, over all of the time on the body. */
  readonly always: TemperatureErrors;
  /** The same figures, together for all that have one thing in common. */
  readonly stories: readonly Group[];
  readonly chips: readonly Group[];
  readonly timeConstants: readonly Group[];
  readonly rows: readonly TemperatureRow[];
  /** The bare reading, and a plain mean of 8, where they were asked for. */
  readonly peers?: readonly TemperaturePeer[];
}

export interface TemperatureOptions {
  readonly seed: number | string;
  readonly compare?: boolean | undefined;
  readonly onPart?: (done: number, total: number) => void;
}

const round = (value: number) => Math.round(value * 1000) / 1000;

/** Errors by how long they lasted. */
class Errors {
  seconds = 0;
  wrong = 0;
  private squares = 0;
  private largest = 0;

  add(error: number, seconds: number): void {
    this.seconds += seconds;
    this.squares += error * error * seconds;
    this.largest = Math.max(this.largest, Math.abs(error));
    if (Math.abs(error) > WRONG) this.wrong += seconds;
  }

  merge(other: Errors): void {
    this.seconds += other.seconds;
    this.squares += other.squares;
    this.largest = Math.max(this.largest, other.largest);
    this.wrong += other.wrong;
  }

  figures(): TemperatureErrors {
    if (this.seconds === 0) return { rms: null, max: null };
    return { rms: round(Math.sqrt(this.squares / this.seconds)), max: round(this.largest) };
  }
}

const SHOWN = ["vitalwire", "reading", `mean of ${PLAIN}`] as const;

/** What runs gave; they add up. */
class Tally {
  readonly predicted = new Errors();
  readonly always = SHOWN.map(() => new Errors());
  readonly whereSettled = SHOWN.map(() => new Errors());
  /** s; infinite: not before it was taken off, or the end. */
  readonly after: number[] = [];
  onBody = 0;
  unnoticed = 0;
  settledOff = 0;

  merge(other: Tally): void {
    this.predicted.merge(other.predicted);
    for (const at of SHOWN.keys()) {
      this.always[at]!.merge(other.always[at]!);
      this.whereSettled[at]!.merge(other.whereSettled[at]!);
    }
    for (const after of other.after) this.after.push(after);
    this.onBody += other.onBody;
    this.unnoticed = Math.max(this.unnoticed, other.unnoticed);
    this.settledOff += other.settledOff;
  }

  figures(): TemperatureFigures {
    const own = this.whereSettled[0]!;
    const settling = this.onBody - own.seconds;
    const middle = this.after.toSorted((a, b) => a - b)[this.after.length >> 1]!;
    return {
      ...own.figures(),
      settled: round((100 * own.seconds) / this.onBody),
      wrong: own.seconds === 0 ? null : round((100 * own.wrong) / own.seconds),
      settledAfter: Number.isFinite(middle) ? round(middle) : null,
      unnoticed: round(this.unnoticed),
      settledOff: round(this.settledOff),
      predicted: {
        ...this.predicted.figures(),
        coverage: settling === 0 ? null : round((100 * this.predicted.seconds) / settling),
      },
    };
  }
}

/** One sensor through one story. */
function follow(chip: TemperatureChip, story: Story, timeConstant: number, seed: string): Tally {
  const { rate, minimum, maximum } = chip;
  const seconds = 1 / rate;
  const filter = createTemperatureFilter({ rate, tolerance: SETTLED_WITHIN, minimum, maximum });
  const shown: { value: number | null; flags: number } = { value: null, flags: 0 };
  const predicted: { value: number | null; flags: number } = { value: null, flags: 0 };
  const result = new Tally();
  const recent: number[] = [];
  /** A contact that has not settled yet. */
  let waiting: number | null = null;
  let before: number | null = null;
  let worn = false;
  const left = () => {
    if (waiting !== null) result.after.push(Number.POSITIVE_INFINITY);
  };
  for (const { time, reading, truth, contact } of warm(chip, story, timeConstant, createRandom(seed))) {
    filter.push(reading);
    filter.read(shown);
    filter.predict(predicted);
    recent.push(reading);
    if (recent.length > PLAIN) recent.shift();
    const settled = shown.value !== null && shown.flags === 0;
    if (contact !== before) {
      left();
      waiting = before = contact;
      worn ||= contact !== null;
    }
    if (truth === null) {
      if (settled && worn) result.settledOff += seconds;
      continue;
    }
    result.onBody += seconds;
    if (settled && time - contact! < ANEW) {
      result.unnoticed = Math.max(result.unnoticed, time + seconds - contact!);
      continue;
    }
    const values = [shown.value, reading, recent.reduce((sum, value) => sum + value, 0) / recent.length];
    for (const [at, value] of values.entries()) {
      if (value === null) continue;
      result.always[at]!.add(value - truth, seconds);
      if (settled) result.whereSettled[at]!.add(value - truth, seconds);
    }
    if (!settled && predicted.value !== null) result.predicted.add(predicted.value - truth, seconds);
    if (settled && waiting !== null) {
      result.after.push(time - waiting);
      waiting = null;
    }
  }
  left();
  return result;
}

/** Adds runs up by a name. */
function createGroups() {
  const tallies = new Map<string, Tally>();
  return {
    add(name: string, tally: Tally): void {
      const together = tallies.get(name) ?? new Tally();
      together.merge(tally);
      tallies.set(name, together);
    },
    figures: (): Group[] => Array.from(tallies, ([name, tally]) => ({ name, ...tally.figures() })),
  };
}

/** Every story, chip and time constant, on two skins each. */
export async function evaluateTemperature({ seed, compare, onPart }: TemperatureOptions): Promise<TemperatureDocument> {
  const all = new Tally();
  const byStory = createGroups();
  const byChip = createGroups();
  const byConstant = createGroups();
  const rows: TemperatureRow[] = [];
  const cases = stories.flatMap((story) =>
    chips.flatMap((chip) => TIME_CONSTANTS.map((timeConstant) => ({ story, chip, timeConstant }))),
  );
  for (const { story, chip, timeConstant } of cases) {
    const row = new Tally();
    const what = `${chip.name}, ${chip.rate} hz`;
    for (let skin = 0; skin < SKINS; skin++)
      row.merge(follow(chip, story, timeConstant, `${seed} ${story.name} ${what} ${timeConstant} ${skin}`));
    all.merge(row);
    byStory.add(story.name, row);
    byChip.add(what, row);
    byConstant.add(`${timeConstant} s`, row);
    rows.push({ story: story.name, chip: chip.name, rate: chip.rate, timeConstant, ...row.figures() });
    await breath();
    onPart?.(rows.length, cases.length);
  }
  const peers = SHOWN.map((name, at) => ({
    name,
    always: all.always[at]!.figures(),
    whereSettled: all.whereSettled[at]!.figures(),
  })).slice(1);
  return {
    ...all.figures(),
    tolerance: SETTLED_WITHIN,
    always: all.always[0]!.figures(),
    stories: byStory.figures(),
    chips: byChip.figures(),
    timeConstants: byConstant.figures(),
    rows,
    ...(compare ? { peers } : {}),
  };
}
