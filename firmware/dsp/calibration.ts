/**
 * From the ratio of ratios R to SpO2: by a device's own calibration, curve or table, that has a name; or by a published curve,
 * which is nobody's own. Device side.
 */

/** SpO2 below it, percent, is outside what oximeters are verified for (ISO 80601-2-61: 70..100 %): shown as "< 70". */
export const LOWEST_SPO2 = 70;

/** SpO2 = square R^2 + linear R + constant, percent. It belongs to one device: it is found by calibrating that one. */
export interface CalibrationCurve {
  readonly square: number;
  readonly linear: number;
  readonly constant: number;
}

/** 2..16 pairs of R, rising, and SpO2 in percent, falling; a straight line from each to the next, and its ends beyond them. */
export type CalibrationTable = readonly (readonly [number, number])[];

/** `id`: 1..32 of a-z, 0-9 and "-"; it travels with every birth (PROTOCOL.md section 2, attribute 7). */
export type Calibration =
  | { readonly id: string; readonly curve: CalibrationCurve }
  | { readonly id: string; readonly table: CalibrationTable };

/** No blood has an R outside this. */
export const LEAST_RATIO = 1 / 10;
export const MOST_RATIO = 4;
/** What a calibration must cover, percent: where it ended higher or began lower, its end would stand for something else. */
const HIGHEST_NEEDED = 95;
const TABLE_LEAST = 2;
const TABLE_MOST = 16;
const ID_LONGEST = 32;
const ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-";

/**
 * Curves that others published for their own devices; 6 to 8 percent RMS off on another one. Values by them are uncalibrated.
 *   maxim-reference-design: MAXREFDES117 (RD117), its firmware's table; turns at R 0.337
 *   maxim-an6845: Maxim application note 6845, table 1, MAX30101 at a finger
 *   line-104-17: 104 - 17 R, a starting point in many MAX3010x examples
 *   line-110-25: 110 - 25 R, the textbooks' rule of thumb (Webster, Design of Pulse Oximeters, 1997)
 */
export const PUBLISHED: readonly Calibration[] = [
  {
    id: "maxim-reference-design",
    curve: { square: -45060 / 1000, linear: 30354 / 1000, constant: 94845 / 1000 },
  },
  {
    id: "maxim-an6845",
    curve: { square: 15958422 / 10000000, linear: -346596622 / 10000000, constant: 1126898759 / 10000000 },
  },
  { id: "line-104-17", curve: { square: 0, linear: -17, constant: 104 } },
  { id: "line-110-25", curve: { square: 0, linear: -25, constant: 110 } },
];

/** The published curve of that name; null where there is none. */
export function publishedCalibration(id: string): Calibration | null {
  for (let i = 0; i < PUBLISHED.length; i++) if (PUBLISHED[i].id === id) return PUBLISHED[i];
  return null;
}

/** true: somebody else's device was calibrated so, and what it gives here carries the flag uncalibrated. */
export function isPublished(calibration: Calibration): boolean {
  return publishedCalibration(calibration.id) !== null;
}

/**
 * SpO2 in percent on the falling branch of the curve: an R beyond the turning point counts as the turning point's. Never
 * above 100; null where the curve is below 0, for an R that no blood has.
 */
export function spo2Of(ratio: number, curve: CalibrationCurve): number | null {
  const square = curve.square;
  const turn = -curve.linear / (2 * square);
  let r = ratio;
  if (square < 0) r = Math.max(r, turn);
  else if (square > 0) r = Math.min(r, turn);
  const value = (square * r + curve.linear) * r + curve.constant;
  return value < 0 ? null : Math.min(value, 100);
}

const tabulated = (ratio: number, table: CalibrationTable): number => {
  let upper = 0;
  while (upper < table.length && table[upper][0] < ratio) upper++;
  if (upper === 0) return table[0][1];
  const from = table[upper - 1];
  if (upper === table.length) return from[1];
  const to = table[upper];
  return from[1] + ((to[1] - from[1]) * (ratio - from[0])) / (to[0] - from[0]);
};

/** SpO2 in percent, 0..100, by a calibration; null where it has none for that R, which no blood has. It never rises with R. */
export function saturationOf(ratio: number, calibration: Calibration): number | null {
  return "curve" in calibration ? spo2Of(ratio, calibration.curve) : tabulated(ratio, calibration.table);
}

/** "calibration abc": how its errors begin. */
const named = (id: string): string => `calibration ${id}`;

const checkId = (id: string): void => {
  let plain = id.length >= 1 && id.length <= ID_LONGEST;
  for (let i = 0; i < id.length; i++) if (ID_CHARACTERS.indexOf(id[i]) < 0) plain = false;
  if (!plain)
    throw new Error(
      `${named(`"${id}"`)}: an id is 1 to ${ID_LONGEST} of a-z, 0-9 and "-"; name the device, as finger-07`,
    );
  if (publishedCalibration(id) !== null)
    throw new Error(`${named(id)}: a published curve has this name; give the device's own calibration its own`);
};

const checkCurve = (id: string, curve: CalibrationCurve): void => {
  const square = curve.square;
  const linear = curve.linear;
  // NaN and infinities less themselves are NaN
  if (square - square + (linear - linear) + (curve.constant - curve.constant) !== 0)
    throw new Error(`${named(id)}: curve ${square}, ${linear}, ${curve.constant}: give three numbers`);
  if (square === 0 && linear >= 0)
    throw new Error(
      `${named(id)}: linear ${linear} makes SpO2 rise with R; it must fall: red and infrared are swapped?`,
    );
  const high = spo2Of(LEAST_RATIO, curve);
  const low = spo2Of(MOST_RATIO, curve);
  if (high === null || high < HIGHEST_NEEDED)
    throw new Error(
      `${named(id)}: the curve is ${high === null ? "below 0" : high} % at its highest (R from ${LEAST_RATIO}); it must reach ${HIGHEST_NEEDED} %: calibrate again`,
    );
  if (low !== null && low >= LOWEST_SPO2)
    throw new Error(
      `${named(id)}: the curve ends at ${low} % (R up to ${MOST_RATIO}) and would show that for anything lower; it must go below ${LOWEST_SPO2} %: calibrate lower, or take a line`,
    );
};

const checkTable = (id: string, table: CalibrationTable): void => {
  const count = table.length;
  if (count < TABLE_LEAST || count > TABLE_MOST)
    throw new Error(`${named(id)}: a table has ${TABLE_LEAST} to ${TABLE_MOST} pairs of R and SpO2, not ${count}`);
  for (let i = 0; i < count; i++) {
    const where = `${named(id)}: table, pair ${i + 1}:`;
    const ratio = table[i][0];
    const value = table[i][1];
    if (!(ratio >= LEAST_RATIO && ratio <= MOST_RATIO))
      throw new Error(`${where} R ${ratio} is outside ${LEAST_RATIO}..${MOST_RATIO}, and no blood's; leave it out`);
    if (!(value >= 0 && value <= 100)) throw new Error(`${where} SpO2 ${value} is outside 0..100 %; leave it out`);
    if (i > 0 && !(ratio > table[i - 1][0]))
      throw new Error(`${where} R ${ratio} is not above ${table[i - 1][0]} before it; put them in rising order`);
    if (i > 0 && !(value < table[i - 1][1]))
      throw new Error(`${where} SpO2 ${value} is not below ${table[i - 1][1]} before it; it must fall as R rises`);
  }
  const first = table[0][1];
  const last = table[count - 1][1];
  if (first < HIGHEST_NEEDED)
    throw new Error(`${named(id)}: the table begins at ${first} %; it must begin at ${HIGHEST_NEEDED} % or more`);
  if (last >= LOWEST_SPO2)
    throw new Error(
      `${named(id)}: the table ends at ${last} % and would show that for anything lower; it must end below ${LOWEST_SPO2} %`,
    );
};

/**
 * A device's own calibration, checked: it falls from 95 % or more to below 70 % within R 0.1 to 4.
 * Throws Error (calibration, which value, what to do) for anything else, and for the name of a published curve.
 */
export function createCalibration(given: Calibration): Calibration {
  checkId(given.id);
  if ("curve" in given) checkCurve(given.id, given.curve);
  else checkTable(given.id, given.table);
  return given;
}
