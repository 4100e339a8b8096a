/** From raw numbers to millimetres, decimals and words of units. Pure. */
import {
  type ChannelDefinition,
  MDC_ECG,
  MDC_ECG_LEAD_II,
  MDC_HEART_RATE,
  MDC_PERFUSION_INDEX,
  MDC_PULSE_RATE,
  MDC_SPO2,
  MDC_TEMPERATURE,
} from "../../protocol/messages.ts";
import { claimOf, isSkin, TEMPERATURES } from "../../protocol/vital.ts";

/** CSS pixels in a millimetre: an inch is 96 of them and 25.4 mm. */
export const PX_PER_MM = 96 / 25.4;
/** Speed of the sweep. */
export const MM_PER_SECOND = 25;
export const PX_PER_SECOND = MM_PER_SECOND * PX_PER_MM;
/** mm a millivolt. */
export const GAINS = [5, 10, 20] as const;
export type Gain = (typeof GAINS)[number];

/** What is drawn, from top to bottom. */
export const ROLES = ["ecg", "infrared", "red"] as const;
export type Role = (typeof ROLES)[number];

export interface VitalKind {
  /** What it is known by here. */
  readonly mdc: number;
  /** All codes that it may have, the dearest first; absent: `mdc` alone. */
  readonly codes?: readonly number[];
  readonly label: string;
  /** As a person reads it; the definition's UCUM stands in the details. */
  readonly unit: string;
  /** Decimals shown at most; the exact value is in the element's data. */
  readonly decimals: number;
  /** Which sweep it comes from; null: none. */
  readonly role: Role | null;
}

export const VITALS: readonly VitalKind[] = [
  { mdc: MDC_HEART_RATE, label: "Heart rate", unit: "/min", decimals: 1, role: "ecg" },
  { mdc: MDC_SPO2, label: "SpO\u2082", unit: "%", decimals: 1, role: "infrared" },
  { mdc: MDC_PULSE_RATE, label: "Pulse rate", unit: "/min", decimals: 1, role: "infrared" },
  { mdc: MDC_PERFUSION_INDEX, label: "Perfusion", unit: "%", decimals: 2, role: "infrared" },
  { mdc: MDC_TEMPERATURE, codes: TEMPERATURES, label: "Temp", unit: "°C", decimals: 2, role: null },
];

/** The codes of a vital that is known by `mdc`. */
export const codesOf = (mdc: number): readonly number[] => VITALS.find((one) => one.mdc === mdc)?.codes ?? [mdc];

/** What a vital is called where it comes from this channel: a temperature by its place on the body, and never the skin's as the body's. */
export function labelOf({ mdc, label }: VitalKind, channel: ChannelDefinition | null): string {
  if (mdc !== MDC_TEMPERATURE || channel === null) return label;
  const word = isSkin(channel.mdc) ? "Skin" : label;
  const { site } = channel.attributes;
  return site === undefined || site === "skin" ? word : `${word}, ${site}`;
}

/** Which sweep a waveform is; null: it is not drawn. */
export function roleOf(definition: ChannelDefinition): Role | null {
  const { mdc, rateMilliHz, attributes } = definition;
  if (rateMilliHz === 0) return null;
  if (mdc === MDC_ECG || mdc === MDC_ECG_LEAD_II) return "ecg";
  const { role } = attributes;
  return role === "infrared" || role === "red" ? role : null;
}

/** mV a raw step; null: the unit is no voltage that is known here, so the trace has no scale in mm/mV. */
export function millivoltsPerStep({ mul, exp10, ucum }: ChannelDefinition): number | null {
  const power = { V: 3, mV: 0, uV: -3 }[ucum];
  return power === undefined ? null : mul * 10 ** (exp10 + power);
}

/** (raw + offset) x mul x 10^exp10 as a decimal without loss, no exponent: "36.6171875", "-0.5", "720". */
export function exactDecimal({ offset, mul, exp10 }: ChannelDefinition, raw: number): string {
  const product = (BigInt(raw) + BigInt(offset)) * BigInt(mul);
  return place(exp10 > 0 ? product * 10n ** BigInt(exp10) : product, Math.max(0, -exp10));
}

/** A decimal with at most `decimals` digits behind the point, the rest rounded half away from zero. */
export function roundDecimal(decimal: string, decimals: number): string {
  const [whole, fraction = ""] = decimal.split(".") as [string, string?];
  if (fraction.length <= decimals) return decimal;
  const negative = whole.startsWith("-");
  const digits = BigInt(whole.replace("-", "") + fraction.slice(0, decimals)) + (fraction[decimals] >= "5" ? 1n : 0n);
  return place(negative ? -digits : digits, decimals);
}

/** "90.0" as "90", "90.50" as "90.5". */
export const trimDecimal = (decimal: string) => (decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal);

/** A raw value as a person reads it, `decimals` at most; "< 70" and "> 100" where it is beyond what the channel claims. */
export function claimText(definition: ChannelDefinition, raw: number, decimals: number): string {
  const claim = claimOf(definition, raw);
  const decimal = roundDecimal(exactDecimal(definition, claim.raw), decimals);
  return claim.sign === "" ? decimal : `${claim.sign} ${trimDecimal(decimal)}`;
}

/** A unit in the way in which a person writes it. */
export const unitText = (ucum: string) => (ucum === "Cel" ? "°C" : ucum);

/** An integer with its decimal point `decimals` digits from the right. */
function place(value: bigint, decimals: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const cut = digits.length - decimals;
  return sign + digits.slice(0, cut) + (decimals > 0 ? `.${digits.slice(cut)}` : "");
}

/** The middle one; the lower of two. Throws RangeError for none. */
export function median(values: ArrayLike<number>): number {
  if (values.length === 0) throw new RangeError("the median of no values");
  return Float64Array.from(values).sort()[(values.length - 1) >> 1];
}
