/**
 * What the alarms of a board are set to: checked once, with errors that name what fights. Device side.
 *
 * Notions after IEC 60601-1-8 (evidence towards it, no more): three priorities; a latching alarm stands after its condition has
 * ended until it is acknowledged, so that what came and went unseen is not lost; technical alarms do not latch.
 */
import { PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM } from "../../protocol/messages.ts";

export interface LimitSettings {
  /** In the vital's unit (%, /min, Cel). Absent or null: no such alarm. */
  readonly low?: number | null;
  readonly high?: number | null;
  /** How long a value must be beyond the limit, s, 0 to 60. Absent: 10. */
  readonly delay?: number;
  /** 1 high, 2 medium, 3 low. Absent: 2. */
  readonly priority?: number;
  /** Absent: true for SpO2, else false. */
  readonly latching?: boolean;
  /** How far inside the limit values must be again. Absent: 1 %, 2 /min, 0.1 Cel. */
  readonly hysteresis?: number;
  /** How long without a value until that is told, s, a whole number 1 to 300. Absent: 20. */
  readonly blank?: number;
}

export interface RhythmSettings {
  /** 1 high, 2 medium, 3 low. */
  readonly priority: number;
  readonly latching: boolean;
}

/** A vital or a rhythm that is absent has no alarm at all. */
export interface AlarmSettings {
  readonly spo2?: LimitSettings;
  readonly heartRate?: LimitSettings;
  readonly pulseRate?: LimitSettings;
  readonly temperature?: LimitSettings;
  readonly respiration?: LimitSettings;
  /** They need a heart rate among the vitals. */
  readonly rhythm?: {
    readonly asystole?: RhythmSettings;
    readonly uncountable?: RhythmSettings;
    readonly pause?: RhythmSettings;
    readonly fibrillation?: RhythmSettings;
  };
}

/**
 * For an adult. Defaults, to be chosen by who uses the board: no clinical advice. What latches: a desaturation, an asystole,
 * waves that cannot be counted, a pause; all of them may be over before anybody looks, and matter then too. Rates and
 * temperature do not, to keep the number of alarms down.
 */
export const ADULT_ALARMS: AlarmSettings = {
  spo2: { low: 90, delay: 10, priority: PRIORITY_MEDIUM, latching: true },
  heartRate: { low: 50, high: 120, delay: 10, priority: PRIORITY_MEDIUM },
  pulseRate: { low: 50, high: 120, delay: 10, priority: PRIORITY_MEDIUM },
  temperature: { low: 35, high: 385 / 10, delay: 60, priority: PRIORITY_LOW },
  respiration: { low: 8, high: 30, delay: 15, priority: PRIORITY_MEDIUM },
  rhythm: {
    asystole: { priority: PRIORITY_HIGH, latching: true },
    uncountable: { priority: PRIORITY_HIGH, latching: true },
    pause: { priority: PRIORITY_MEDIUM, latching: true },
    fibrillation: { priority: PRIORITY_LOW, latching: false },
  },
};

/** All settings of one vital. */
export interface CheckedLimits {
  readonly low: number | null;
  readonly high: number | null;
  readonly delay: number;
  readonly priority: number;
  readonly latching: boolean;
  readonly hysteresis: number;
  readonly blank: number;
}

export const LONGEST_DELAY = 60;
export const LONGEST_BLANK = 300;
/** Hard bounds of limits and the default hysteresis, whatever a command says; in the order of the alarms' ids. */
const VITALS: readonly {
  readonly name: keyof AlarmSettings & ("spo2" | "heartRate" | "pulseRate" | "temperature" | "respiration");
  readonly lowest: number;
  readonly highest: number;
  readonly hysteresis: number;
  readonly latching: boolean;
}[] = [
  { name: "spo2", lowest: 50, highest: 100, hysteresis: 1, latching: true },
  { name: "heartRate", lowest: 15, highest: 300, hysteresis: 2, latching: false },
  { name: "pulseRate", lowest: 15, highest: 300, hysteresis: 2, latching: false },
  { name: "temperature", lowest: 25, highest: 45, hysteresis: 1 / 10, latching: false },
  { name: "respiration", lowest: 2, highest: 100, hysteresis: 2, latching: false },
];

/** The settings of the vital at this place of the ids' order (`alarmVital`), unchecked; undefined: it has no alarms. */
export function settingsOf(settings: AlarmSettings, place: number): LimitSettings | undefined {
  return settings[VITALS[place].name];
}

const within = (name: string, value: number, lowest: number, highest: number): void => {
  if (!(value >= lowest && value <= highest))
    throw new Error(`alarms: ${name} ${value} is not ${lowest} to ${highest}; choose another`);
};

/** Throws Error (setting, value, what to do) for a priority that is none. */
export function checkPriority(name: string, priority: number): number {
  if (priority === PRIORITY_HIGH || priority === PRIORITY_MEDIUM || priority === PRIORITY_LOW) return priority;
  throw new Error(`alarms: ${name} priority ${priority} is none of 1 (high), 2 (medium), 3 (low)`);
}

/**
 * Fills in the defaults and checks. `place`: of the vital in the order of the ids. Throws Error (setting, value, what to do)
 * for a limit outside the hard bounds, any other setting outside its range, and for limits so close that no value is inside both.
 */
export function checkLimits(place: number, settings: LimitSettings): CheckedLimits {
  const vital = VITALS[place];
  const name = vital.name;
  const low = settings.low ?? null;
  const high = settings.high ?? null;
  const delay = settings.delay ?? 10;
  const hysteresis = settings.hysteresis ?? vital.hysteresis;
  const blank = settings.blank ?? 20;
  if (low !== null) within(`${name} low`, low, vital.lowest, vital.highest);
  if (high !== null) within(`${name} high`, high, vital.lowest, vital.highest);
  within(`${name} delay`, delay, 0, LONGEST_DELAY);
  within(`${name} hysteresis`, hysteresis, 0, (vital.highest - vital.lowest) / 4);
  within(`${name} blank`, blank, 1, LONGEST_BLANK);
  if (Math.floor(blank) !== blank) throw new Error(`alarms: ${name} blank ${blank} is no whole number of seconds`);
  if (low !== null && high !== null) {
    if (low >= high) throw new Error(`alarms: ${name} low ${low} must be below high ${high}`);
    if (low + hysteresis > high - hysteresis)
      throw new Error(
        `alarms: ${name} hysteresis ${hysteresis} leaves nothing between low ${low} and high ${high}; make it smaller`,
      );
  }
  return {
    low,
    high,
    delay,
    hysteresis,
    blank,
    priority: checkPriority(name, settings.priority ?? PRIORITY_MEDIUM),
    latching: settings.latching ?? vital.latching,
  };
}
