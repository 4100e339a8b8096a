/**
 * Designs every coefficient of firmware/dsp/designs.ts.
 *
 * - Low-pass FIR: an ideal one in a Kaiser window (Kaiser, in: Kuo and Kaiser, System Analysis by Digital Computer, 1966;
 *   the formulas of its parameter from the attenuation: Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5.3).
 * - Second-order all-pass sections, of which a notch is half the sum with its input (Regalia, Mitra, Vaidyanathan, Proc.
 *   IEEE 76:19, 1988): zero exactly where it was put, and at 0 hz a gain of exactly 1 whatever is rounded.
 * - Symmetrical windows about as long as a mains period with their zero exactly on the mains.
 * Numbers become integers over a power of two. Those of a low-pass add up to exactly that power of two.
 *
 * `node --import tsx tools/filter-design.ts --write` writes the file; without `--write` it ends with 1 where the file is
 * not what this writes.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { projectRoot, runMain } from "./files.ts";

const page = "firmware/dsp/designs.ts";

/** What filters are made for, hz. */
export const RATES = [125, 128, 250, 256, 360, 500, 512] as const;
/** Denominators. */
export const TAP_SCALE = 2 ** 16;
export const SECTION_SCALE = 2 ** 30;

/** A low-pass: flat to `pass` hz, gone from `stop` hz on, by `attenuation` dB. */
export interface LowPassSpecification {
  readonly rate: number;
  readonly pass: number;
  readonly stop: number;
  readonly attenuation: number;
}

/** What is flat into 120 to 128 sps: 0 to 40 hz. What would fold onto that is at least one new rate less 40 hz. */
export const decimators = [
  { rate: 250, factor: 2 },
  { rate: 256, factor: 2 },
  { rate: 360, factor: 3 },
  { rate: 500, factor: 4 },
  { rate: 512, factor: 4 },
].map(({ rate, factor }) => ({ rate, factor, pass: 40, stop: rate / factor - 40, attenuation: 46 }));

/** Monitor display: -3 dB at 40 hz. Stop-band 11 hz above the middle of the transition, 11 is flat below it. */
const DISPLAY = { cutoff: 40, width: 22, attenuation: 46 };

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let term = 1;
  let total = 1;
  for (let k = 1; term > total * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    total += term;
  }
  return total;
}

/** The first half and the middle of an odd symmetrical low-pass with an amplitude of a half at `middle` hz. */
function kaiser(rate: number, middle: number, width: number, attenuation: number): number[] {
  // Between 21 and 50 dB.
  const beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21);
  const order = (attenuation - 7.95) / (2.285 * 2 * Math.PI * (width / rate));
  const reach = Math.ceil(order / 2);
  return Array.from({ length: reach + 1 }, (_, i) => {
    const k = i - reach;
    const ideal = k === 0 ? (2 * middle) / rate : Math.sin((2 * Math.PI * middle * k) / rate) / (Math.PI * k);
    return (ideal * bessel(beta * Math.sqrt(1 - (k / reach) ** 2))) / bessel(beta);
  });
}

/** Gain at a frequency of the symmetrical filter with that first half and middle. */
function gain(half: readonly number[], frequency: number, rate: number): number {
  const reach = half.length - 1;
  const terms = half.map((tap, i) => tap * Math.cos((2 * Math.PI * frequency * (reach - i)) / rate));
  return 2 * sum(terms.slice(0, -1)) + (terms.at(-1) as number);
}

/** Integers over TAP_SCALE that add up to it over the whole filter; what rounding left over goes to the middle. */
function rounded(half: readonly number[]): number[] {
  const whole = gain(half, 0, 1);
  const taps = half.map((tap) => Math.round((tap / whole) * TAP_SCALE) + 0);
  taps[taps.length - 1] = TAP_SCALE - 2 * sum(taps.slice(0, -1));
  // Zeros at the ends are only work.
  return taps.slice(taps.findIndex((tap) => tap !== 0));
}

/** First half and middle, in TAP_SCALE-ths. */
export function designDecimator({ rate, pass, stop, attenuation }: LowPassSpecification): number[] {
  return rounded(kaiser(rate, (pass + stop) / 2, stop - pass, attenuation));
}

/** First half and middle, in TAP_SCALE-ths: its middle is put where the gain at the cut-off becomes the root of a half. */
export function designLowPass(rate: number): number[] {
  const make = (middle: number) => kaiser(rate, middle, DISPLAY.width, DISPLAY.attenuation);
  let low = DISPLAY.cutoff;
  let high = DISPLAY.cutoff + DISPLAY.width / 2;
  for (let turn = 0; turn < 40; turn++) {
    const middle = (low + high) / 2;
    const half = make(middle);
    if (gain(half, DISPLAY.cutoff, rate) / gain(half, 0, rate) < Math.SQRT1_2) low = middle;
    else high = middle;
  }
  return rounded(make((low + high) / 2));
}

/** The all-pass (c2 + c1/z + 1/zz) / (1 + c1/z + c2/zz), in SECTION_SCALE-ths: [c1, c2]. Q: frequency over the width at -3 dB. */
export function designSection(rate: number, frequency: number, q: number): [number, number] {
  const t = Math.tan((Math.PI * frequency) / q / rate);
  const c2 = (1 - t) / (1 + t);
  const c1 = -Math.cos((2 * Math.PI * frequency) / rate) * (1 + c2);
  return [Math.round(c1 * SECTION_SCALE), Math.round(c2 * SECTION_SCALE)];
}

/**
 * Taps in TAP_SCALE-ths: whole samples of a period with one weight, and where a period is no whole number of them one
 * more on either side, with the weight that puts the zero on the mains. What rounding left over goes to the middle.
 */
export function designMainsAverage(rate: number, mains: number): number[] {
  const whole = Math.floor(rate / mains);
  const w = (2 * Math.PI * mains) / rate;
  const end = -Math.sin((whole * w) / 2) / Math.sin(w / 2) / (2 * Math.cos(((whole + 1) * w) / 2));
  const inner = Math.round(TAP_SCALE / (whole + 2 * (whole * mains === rate ? 0 : end)));
  if (whole * mains !== rate) {
    // Twice a whole number must be left for the ends.
    const even = inner + ((TAP_SCALE - whole * inner) % 2);
    const outer = (TAP_SCALE - whole * even) / 2;
    return [outer, ...new Array<number>(whole).fill(even), outer];
  }
  const taps = new Array<number>(whole).fill(inner);
  const left = TAP_SCALE - whole * inner;
  // An even number of them has two in the middle.
  taps[whole >> 1] += whole % 2 === 0 ? left / 2 : left;
  if (whole % 2 === 0) taps[(whole >> 1) - 1] += left / 2;
  return taps;
}

/** The share of the difference by which a one-pole mean follows, in SECTION_SCALE-ths. */
export function designFollower(rate: number, frequency: number): number {
  return Math.round((1 - Math.exp((-2 * Math.PI * frequency) / rate)) * SECTION_SCALE);
}

/** Numbers in brackets as the formatter breaks them: on one line where that is at most 120 long, else filled. */
function list(before: string, numbers: readonly number[]): string[] {
  const single = `${before}[${numbers.join(", ")}];`;
  if (single.length <= 120) return [single];
  const indent = " ".repeat(before.search(/\S/));
  const lines: string[] = [];
  for (const number of numbers) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + ` ${number},`.length <= 120) lines[lines.length - 1] = `${last} ${number},`;
    else lines.push(`${indent}  ${number},`);
  }
  return [`${before}[`, ...lines, `${indent}];`];
}

function table(
  documentation: string,
  name: string,
  entries: readonly (readonly [number, readonly number[]])[],
): string[] {
  return [
    "",
    `/** ${documentation} */`,
    `export function ${name}(rate: number): readonly number[] | null {`,
    "  switch (rate) {",
    ...entries.flatMap(([rate, numbers]) => [`    case ${rate}:`, ...list("      return ", numbers)]),
    "  }",
    "  return null;",
    "}",
  ];
}

/** The whole file. */
export function render(): string {
  return `${[
    "/**",
    " * Coefficients, by sampling rate; null where there is none. Written by tools/filter-design.ts: run it with --write.",
    " * Functions, not tables: on a board only what is asked for takes memory.",
    " */",
    "",
    "/** Sampling rates that filters for display are designed for, hz. */",
    `export const RATES: readonly number[] = [${RATES.join(", ")}];`,
    "/** Sampling rates that are brought down to the detector's, hz. */",
    `export const DECIMATED: readonly number[] = [${decimators.map(({ rate }) => rate).join(", ")}];`,
    "/** What the taps of a FIR and the weights of a window are over. */",
    `export const TAP_SCALE = ${TAP_SCALE};`,
    "/** What the coefficients of sections and followers are over. */",
    `export const SECTION_SCALE = ${SECTION_SCALE};`,
    ...table(
      "Decimator: first half and middle of its taps, in TAP_SCALE-ths.",
      "decimatorTaps",
      decimators.map((one) => [one.rate, designDecimator(one)] as const),
    ),
    ...table(
      "Low-pass, -3 dB at 40 hz: first half and middle of its taps, in TAP_SCALE-ths.",
      "lowPassTaps",
      RATES.map((rate) => [rate, designLowPass(rate)] as const),
    ),
    ...table(
      "All-pass sections of Q 10 at 50 and 60 hz, of Q 8 at 40 hz: c1 and c2 of each, in SECTION_SCALE-ths.",
      "notchSections",
      RATES.map(
        (rate) =>
          [
            rate,
            [designSection(rate, 50, 10), designSection(rate, 60, 10), designSection(rate, 40, 8)].flat(),
          ] as const,
      ),
    ),
    ...[50, 60].flatMap((mains) =>
      table(
        `Mean of about a period of ${mains} hz: its taps, in TAP_SCALE-ths.`,
        `mains${mains}Taps`,
        RATES.map((rate) => [rate, designMainsAverage(rate, mains)] as const),
      ),
    ),
    ...table(
      "Follower of 0.05 hz: its share of the difference, in SECTION_SCALE-ths.",
      "followerShare",
      RATES.map((rate) => [rate, [designFollower(rate, 1 / 20)]] as const),
    ),
  ].join("\n")}\n`;
}

/** One sentence for each line that is not as the program writes it. */
export function differences(text: string): string[] {
  const is = text.split("\n");
  const should = render().split("\n");
  return Array.from({ length: Math.max(is.length, should.length) }, (_, i) => i)
    .filter((i) => is[i] !== should[i])
    .map(
      (i) =>
        `${page}:${i + 1} has ${JSON.stringify(is[i] ?? "")}, not ${JSON.stringify(should[i] ?? "")}: run node --import tsx tools/filter-design.ts --write`,
    );
}

function main(): number {
  if (process.argv.includes("--write")) writeFileSync(`${projectRoot}/${page}`, render());
  const findings = differences(
    existsSync(`${projectRoot}/${page}`) ? readFileSync(`${projectRoot}/${page}`, "utf8") : "",
  );
  for (const finding of findings) console.error(finding);
  console.log(`filter-design: ${findings.length} line${findings.length === 1 ? "" : "s"} of ${page} to be written`);
  return findings.length === 0 ? 0 : 1;
}

runMain(import.meta.url, main);
