/**
 * SenML in CBOR (RFC 8428 section 6): integer labels, every number in its shortest form. Times are no whole numbers, which the
 * project's own CBOR has not, and a pack has more records than it takes: hence these lines.
 */
import { type SenmlRecord, senmlPack, senmlValues, type WireFormat } from "./wire-formats.ts";

/** RFC 8428 section 6, table 4. */
const LABELS = { bn: -2, bt: -3, bu: -4, t: 6, v: 2 } as const;
type Label = keyof typeof LABELS;

function pushHead(out: number[], major: number, value: number): void {
  const top = major << 5;
  if (value < 24) out.push(top | value);
  else if (value < 2 ** 8) out.push(top | 24, value);
  else if (value < 2 ** 16) out.push(top | 25, value >> 8, value & 255);
  else if (value < 2 ** 32) {
    out.push(top | 26);
    for (let shift = 24; shift >= 0; shift -= 8) out.push((value >>> shift) & 255);
  } else throw new Error(`${value} is beyond 32 bits`);
}

const pushInteger = (out: number[], value: number) =>
  value < 0 ? pushHead(out, 1, -1 - value) : pushHead(out, 0, value);

/** The binary16 of `value`, which is 0 or normal in it; null where it cannot hold it exactly. */
function half(value: number): number | null {
  const exponent = Math.floor(Math.log2(value));
  const mantissa = value * 2 ** (10 - exponent) - 1024;
  if (!(exponent >= -14 && exponent <= 15 && Number.isInteger(mantissa))) return null;
  return ((exponent + 15) << 10) | mantissa;
}

function float(value: number): number[] {
  const short = half(value);
  if (short !== null) return [0xf9, short >> 8, short & 255];
  const view = Buffer.alloc(9);
  if (Math.fround(value) === value) {
    view[0] = 0xfa;
    view.writeFloatBE(value, 1);
    return [...view.subarray(0, 5)];
  }
  view[0] = 0xfb;
  view.writeDoubleBE(value, 1);
  return [...view];
}

/** Decimal fraction, tag 4 (RFC 8949 section 3.4.4), with 1 to 9 places and 32 bits; null: it would not be exact. */
function decimal(value: number): number[] | null {
  for (let places = 1; places <= 9; places++) {
    const mantissa = Math.round(value * 10 ** places);
    if (mantissa >= 2 ** 32) return null;
    if (mantissa / 10 ** places !== value) continue;
    const out = [0xc4, 0x82, 0x1f + places];
    pushInteger(out, mantissa);
    return out;
  }
  return null;
}

/** An integer, a float or a decimal fraction, whichever is shortest. */
function pushNumber(out: number[], value: number): void {
  if (Number.isInteger(value)) {
    pushInteger(out, value);
    return;
  }
  const [one, other] = [float(value), decimal(value)];
  out.push(...(other !== null && other.length < one.length ? other : one));
}

export function encodeSenmlCbor(pack: readonly SenmlRecord[]): Uint8Array {
  const out: number[] = [];
  pushHead(out, 4, pack.length);
  for (const record of pack) {
    const entries = Object.entries(record) as [Label, string | number][];
    pushHead(out, 5, entries.length);
    for (const [label, value] of entries) {
      pushInteger(out, LABELS[label]);
      if (typeof value === "number") pushNumber(out, value);
      else {
        const text = new TextEncoder().encode(value);
        pushHead(out, 3, text.length);
        out.push(...text);
      }
    }
  }
  return Uint8Array.from(out);
}

export function decodeSenmlCbor(bytes: Uint8Array): SenmlRecord[] {
  const view = Buffer.from(bytes);
  let at = 0;
  const take = (length: number) => {
    at += length;
    return view.subarray(at - length, at);
  };
  const item = (): unknown => {
    const first = take(1)[0]!;
    if (first === 0xf9) {
      const bits = take(2).readUInt16BE();
      return (1024 + (bits & 1023)) * 2 ** ((bits >> 10) - 25);
    }
    if (first === 0xfa) return take(4).readFloatBE();
    if (first === 0xfb) return take(8).readDoubleBE();
    const [major, low] = [first >> 5, first & 31];
    const value = low < 24 ? low : take(2 ** (low - 24)).readUIntBE(0, 2 ** (low - 24));
    if (major === 0) return value;
    if (major === 1) return -1 - value;
    if (major === 3) return take(value).toString("utf8");
    if (major === 4) return Array.from({ length: value }, item);
    if (major === 5) return new Map(Array.from({ length: value }, () => [item(), item()] as const));
    if (first !== 0xc4) throw new Error(`${first} at ${at - 1} is not used here`);
    const [exponent, mantissa] = item() as [number, number];
    return mantissa / 10 ** -exponent;
  };
  const pack = (item() as Map<number, string | number>[]).map((found) => {
    const labels = (Object.keys(LABELS) as Label[]).filter((label) => found.has(LABELS[label]));
    return Object.fromEntries(labels.map((label) => [label, found.get(LABELS[label])])) as unknown as SenmlRecord;
  });
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes behind the pack`);
  return pack;
}

export const senmlCbor: WireFormat = {
  name: "SenML CBOR",
  encode: (packet) => encodeSenmlCbor(senmlPack(packet)),
  decode: (bytes) => senmlValues(decodeSenmlCbor(bytes)),
};
