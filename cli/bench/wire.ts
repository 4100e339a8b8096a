/**
 * Bytes of one and the same second of ECG, red, infrared and temperature: as this project sends it, and in formats that others
 * use. Whatever is measured is read back and compared. And what a receiver pays beside the signature.
 */
import { basename } from "node:path";
import { MANIFEST_MESSAGES } from "../../firmware/manifests.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import type { Codec } from "../../protocol/samples.ts";
import { encodeSamples } from "../../protocol/samples.ts";
import { type Figure, figure, percentile } from "./bench.ts";
import {
  type EdfSignal,
  edf,
  edfHeaderBytes,
  json,
  protobufDifferences,
  protobufPlain,
  senmlJson,
  type WireFormat,
} from "./wire-formats.ts";
import { asRecording, chipPackets, recordsIn, type WirePacket, withOwnSamples } from "./wire-packets.ts";
import { senmlCbor } from "./wire-senml-cbor.ts";
import { speedFigures } from "./wire-speed.ts";
import {
  authenticate,
  encrypt,
  isAuthentic,
  lineOf,
  macKey,
  manifestLength,
  payloadOf,
  seal,
  unlined,
  valuesOf,
} from "./wire-vsp.ts";

/** What a signed packet may have, B: with a recording's own 11 bits, and through the MAX30003's 18. */
const OWN_BITS = 590;
const CHIP_BITS = 720;
/** What a signature, its headers and heads may add, B. */
const OVERHEAD = 86;
/** What a MAC, and what encryption may add over what is inside, B. */
const MAC_OVERHEAD = 29;
/** And what a message's hash and its share of a manifest's own bytes may. */
const MANIFEST_SHARE = 18;
const ENCRYPTION_OVERHEAD = 38;
const CODECS: readonly (readonly [Codec, string])[] = [
  [0, "raw24"],
  [1, "delta"],
  [2, "rice"],
];
const RICE = 2;
/** Seconds measured of each source. */
const SECONDS = 30;
/** Records of an EDF file of an hour. */
const HOUR = 3600;

export interface WireOptions {
  /** Folder with `mitdb`: the MIT-BIH Arrhythmia Database. */
  readonly data: string | undefined;
  /** Seconds of each source. */
  readonly seconds: number;
  /** Records, at most. */
  readonly records: number;
}

/** Figures with limits of their own, and those of speed. Throws Error where anything comes back changed. */
export async function wire(say: (line: string) => void): Promise<Figure[]> {
  const options = { data: process.env.VITALWIRE_DATA, seconds: SECONDS, records: Number.POSITIVE_INFINITY };
  const chips = chipPackets(options.seconds);
  return [...sizeFigures(chips, options, say), ...speedFigures(chips)];
}

/** Bytes, the same on every machine. */
export function sizeFigures(
  chips: readonly WirePacket[],
  { data, seconds, records }: WireOptions,
  say: (line: string) => void,
): Figure[] {
  say("packets of one second: ECG, red and infrared at 100 hz, temperature; formats of others are not signed");
  say("OpenView frames are left out: their layout is not described in this project yet");
  const figures = sourceFigures("chips", chips, CHIP_BITS);
  const found = data === undefined ? [] : recordsIn(`${data}/mitdb`).slice(0, records);
  if (found.length === 0) {
    say(
      `no recordings ${data === undefined ? "" : `at ${data}/mitdb `}(set VITALWIRE_DATA): their packets are left out`,
    );
    return figures;
  }
  say(
    `${seconds} s of each of ${found.length} records (${basename(found[0]!)} ...): as they are, and through a MAX30003 …`,
  );
  const own = found.flatMap((record) => withOwnSamples(chips, record));
  const through = found.flatMap((record) => chipPackets(seconds, asRecording(record)));
  figures.push(...sourceFigures("records, own bits", own, OWN_BITS));
  figures.push(...sourceFigures("records, MAX30003", through, CHIP_BITS));
  return figures;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const valuesIn = ({ waves, temperature }: WirePacket) => [
  ...waves.map(({ samples }) => [...samples]),
  [temperature.value],
];

/** Throws Error where a value is not what it was. */
function compare(what: string, found: readonly (readonly number[])[], expected: readonly (readonly number[])[]): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`bench wire: ${what} came back changed`);
}

/** Everything about the packets of one source; the longest signed packet is held against `limit`. */
export function sourceFigures(source: string, packets: readonly WirePacket[], limit: number): Figure[] {
  const figures: Figure[] = [];
  const add = (name: string, value: number, unit: string, bound: Parameters<typeof figure>[3] = null) =>
    figures.push(figure(`${source}: ${name}`, value, unit, bound));

  for (const [codec, name] of CODECS) {
    const payloads = packets.map((packet) => payloadOf(packet, codec));
    const sealed = payloads.map(seal);
    packets.forEach((packet, i) => {
      compare(`the signed packet, ${name}`, valuesOf(unlined(lineOf(sealed[i]!))), valuesIn(packet));
    });
    add(`payload, ${name}`, mean(payloads.map(({ length }) => length)), "B");
    if (codec !== RICE) continue;
    const sizes = sealed.map(({ length }) => length);
    add("signed, rice", mean(sizes), "B");
    add("signed, rice, longest", percentile(sizes, 100), "B", ["at most", limit]);
    add("overhead of mode S", Math.max(...sizes.map((size, i) => size - payloads[i]!.length)), "B", [
      "at most",
      OVERHEAD,
    ]);
    modeFigures(packets, payloads, sealed, add);
    add("serial line, signed, rice", mean(sealed.map((message) => lineOf(message).length)), "B");
  }
  for (const [channel, waves] of [
    ["ECG", packets.flatMap((packet) => packet.waves.filter(({ name }) => name === "ecg"))],
    ["PPG", packets.flatMap((packet) => packet.waves.filter(({ name }) => name !== "ecg"))],
  ] as const) {
    const samples = waves.reduce((sum, wave) => sum + wave.samples.length, 0);
    for (const [codec, name] of CODECS) {
      const bytes = waves.reduce(
        (sum, wave) => sum + encodeSamples(codec, wave.samples, 0, wave.samples.length).length,
        0,
      );
      add(`${channel}, ${name}`, (8 * bytes) / samples, "bit/sample");
    }
  }

  for (const format of [senmlJson, senmlCbor, json, protobufPlain, protobufDifferences, bdfOf(packets)]) {
    add(format.name, mean(packets.map((packet) => measured(format, packet, valuesIn(packet)))), "B");
  }
  const signals = edfSignals(packets, 16);
  const cutting = signals.some(({ cut }) => cut > 0);
  const sizes = packets.map((packet) => {
    const whole = valuesIn(packet);
    const kept = signals.map(({ cut, offset }, s) =>
      whole[s]!.map((value) => ((value - offset) >> cut) * 2 ** cut + offset),
    );
    return measured(edf(16, signals), packet, kept);
  });
  add(`EDF record, 16 bits${cutting ? " (not lossless: 18 bits are cut)" : ""}`, mean(sizes), "B");
  add("EDF or BDF header, a second's share of an hour", edfHeaderBytes(packets[0]!) / HOUR, "B");
  return figures;
}

/** What modes M and E add; E around a signed message, and around a bare payload. */
function modeFigures(
  packets: readonly WirePacket[],
  payloads: readonly Uint8Array[],
  sealed: readonly Uint8Array[],
  add: (name: string, value: number, unit: string, bound: ["at most", number]) => void,
): void {
  const over = [0, 0];
  packets.forEach(({ boot }, i) => {
    const [payload, signed] = [payloads[i]!, sealed[i]!];
    const key = macKey(boot);
    const authentic = authenticate(payload, key);
    const opened = decodeMac0(authentic);
    if (!isAuthentic(opened, key) || Buffer.compare(opened.payload, payload) !== 0)
      throw new Error("bench wire: the packet of mode M came back changed");
    over[0] = Math.max(over[0]!, authentic.length - payload.length);
    for (const plaintext of [signed, payload]) {
      over[1] = Math.max(over[1]!, encrypt(plaintext, payload, boot).length - plaintext.length);
    }
  });
  add("overhead of mode M", over[0]!, "B", ["at most", MAC_OVERHEAD]);
  add("manifest of mode M, a message's share", manifestLength(packets[0]!) / MANIFEST_MESSAGES, "B", [
    "at most",
    MANIFEST_SHARE,
  ]);
  add("overhead of mode E", over[1]!, "B", ["at most", ENCRYPTION_OVERHEAD]);
}

/** Bytes of the packet in a format. Throws Error where it comes back as anything but `expected`. */
function measured(format: WireFormat, packet: WirePacket, expected: readonly (readonly number[])[]): number {
  const bytes = format.encode(packet);
  compare(format.name, format.decode(bytes), expected);
  return bytes.length;
}

/** How the packets' channels stand in a record of `bits`: optical converters have no sign, and are put around 0. */
export function edfSignals([first]: readonly WirePacket[], bits: number): EdfSignal[] {
  const waves = first!.waves.map(({ name, bits: own, samples }) => ({
    length: samples.length,
    offset: name === "ecg" ? 0 : 2 ** (own - 1),
    cut: Math.max(0, own - bits),
  }));
  return [...waves, { length: 1, offset: 0, cut: 0 }];
}

const bdfOf = (packets: readonly WirePacket[]) => edf(24, edfSignals(packets, 24));
