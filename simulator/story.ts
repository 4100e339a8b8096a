/**
 * A patient to whom something happens while he is watched: the truth as functions of time. What a story does not speak of is
 * as it always was with this person.
 */
import { within } from "./rhythm.ts";

export type StoryName = "desaturation" | "fever" | "finger-off" | "asystole";

export interface Story {
  readonly name: StoryName;
  /** Name and times: two stories with the same label are the same story. */
  readonly label: string;
  /** What happens, for a person. */
  readonly words: string;
  /** Percent over time, s; absent: the person's own. */
  readonly spo2?: (time: number) => number;
  /** Where the skin under the thermometer settles, Cel, over time, s, where `own` is the person's own; absent: that. */
  readonly temperature?: (time: number, own: number) => number;
  /** Whether the finger is in the oximeter, over time, s; absent: always. */
  readonly finger?: (time: number) => boolean;
  /** How much of each heartbeat there is, 0..1, in the ECG and at the finger, over time, s; absent: all of it. */
  readonly heart?: (time: number) => number;
}

/** All of a story in s from the start; each part begins where the one before ends. */
export interface Turn {
  /** When it begins. */
  readonly begin: number;
  /** How long the way there takes. */
  readonly change: number;
  /** How long it lasts then. */
  readonly hold: number;
  /** How long the way back takes. */
  readonly recovery: number;
}

const DESATURATION: Turn = { begin: 60, change: 60, hold: 60, recovery: 30 };
const FEVER: Turn = { begin: 180, change: 180, hold: 240, recovery: 240 };
const ABSENCE: Turn = { begin: 60, change: 0, hold: 40, recovery: 0 };
/** The flat line is reached within a beat's T wave, not by a step. */
const ASYSTOLE: Turn = { begin: 60, change: 0.25, hold: 20, recovery: 0.25 };

/** SpO2 falls in a straight line from `from` to `to`, percent, and comes back. */
export function desaturation(options: Partial<Turn> & { readonly from?: number; readonly to?: number } = {}): Story {
  const turn = { ...DESATURATION, ...options };
  const { from = 97, to = 82 } = options;
  within("from", from, 0, 100, "percent");
  within("to", to, 0, 100, "percent");
  const part = partOf(turn);
  return {
    name: "desaturation",
    label: labelOf("desaturation", turn, from, to),
    words: `SpO2 ${from} %, from ${turn.begin} s on falling to ${to} % within ${turn.change} s, and back after ${turn.hold} s`,
    spo2: (time) => from + (to - from) * part(time),
  };
}

/** The skin warms in a straight line to where it settles at `to`, Cel, and cools again. */
export function fever(options: Partial<Turn> & { readonly to?: number } = {}): Story {
  const turn = { ...FEVER, ...options };
  const { to = 39.2 } = options;
  within("to", to, 20, 45, "Cel");
  const part = partOf(turn);
  return {
    name: "fever",
    label: labelOf("fever", turn, to),
    words: `the skin warms from ${turn.begin} s on to ${to} °C within ${turn.change} s, and cools after ${turn.hold} s`,
    temperature: (time, own) => own + (to - own) * part(time),
  };
}

/** The finger leaves the oximeter for `hold` s. */
export function fingerOff(options: Partial<Pick<Turn, "begin" | "hold">> = {}): Story {
  const turn = { ...ABSENCE, ...options };
  partOf(turn);
  return {
    name: "finger-off",
    label: labelOf("finger-off", turn),
    words: `the finger leaves the oximeter at ${turn.begin} s for ${turn.hold} s`,
    finger: (time) => time < turn.begin || time >= turn.begin + turn.hold,
  };
}

/** The heart stands still for `hold` s: a flat line that breathes, light without a pulse. */
export function asystole(options: Partial<Turn> = {}): Story {
  const turn = { ...ASYSTOLE, ...options };
  const part = partOf(turn);
  return {
    name: "asystole",
    label: labelOf("asystole", turn),
    words: `the heart stands still at ${turn.begin} s for ${turn.hold} s`,
    heart: (time) => 1 - part(time),
  };
}

/** By the names that `--story` takes. */
export const stories: Readonly<Record<StoryName, () => Story>> = {
  desaturation: () => desaturation(),
  fever: () => fever(),
  "finger-off": () => fingerOff(),
  asystole: () => asystole(),
};

/** How much of the turn has come, 0..1, over time, s. Throws RangeError that names the part outside its range. */
function partOf({ begin, change, hold, recovery }: Turn): (time: number) => number {
  within("begin", begin, 0, 1e6, "s");
  within("change", change, 0, 1e6, "s");
  within("hold", hold, 0, 1e6, "s");
  within("recovery", recovery, 0, 1e6, "s");
  const there = begin + change;
  const back = there + hold;
  return (time) => {
    if (time < begin || time >= back + recovery) return 0;
    if (time < there) return (time - begin) / change;
    return time < back ? 1 : (back + recovery - time) / recovery;
  };
}

const labelOf = (name: StoryName, { begin, change, hold, recovery }: Turn, ...rest: readonly number[]) =>
  [name, begin, change, hold, recovery, ...rest].join(" ");
