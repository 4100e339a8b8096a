/** One-second packets to measure: what three simulated chips give, and a recording's own samples in place of the ECG. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { Link } from "../../firmware/link.ts";
import { millivolts, readRecordSync } from "../../formats/index.ts";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { type BirthMessage, type DataMessage, decodeMessage } from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { countsOf } from "../../simulator/evaluate/detections.ts";
import { resampleLinear } from "../../simulator/evaluate/resample.ts";
import { createVirtualNode, type Recording } from "../../simulator/node.ts";

/** One channel's second. */
export interface WireWave {
  readonly id: number;
  readonly name: string;
  /** hz */
  readonly rate: number;
  /** Significant bits of the converter, sign included. */
  readonly bits: number;
  /** Raw values. */
  readonly samples: Int32Array;
  /** Index of the first one since the start. */
  readonly idx: number;
  /** Time of the first one, us relative to the packet's tick. */
  readonly dt: number;
}

/** What one message carries, whatever its format: ECG, red, infrared, one temperature. */
export interface WirePacket {
  readonly boot: number;
  readonly seq: number;
  /** ms since boot. */
  readonly tick: number;
  readonly cfg: number;
  readonly waves: readonly WireWave[];
  readonly temperature: { readonly id: number; readonly dt: number; readonly value: number };
}

/** The chips' samples begin to be measured here, s: sensors have settled, numbers have their usual length. */
const SETTLED = 20;
const OWN_RATE = 250;
/** A board in its fourth month: numbers as long as they usually are. */
const BOOT = 17;
const NAMES = ["ecg", "red", "infrared"];
/** hz of a recording's own samples. */

/** A link on which nobody answers. */
function createListener(heard: (message: Uint8Array) => void): Link {
  return {
    presence: false,
    open: (events) => events.onUp(1),
    send(_letter, message) {
      heard(message);
      return true;
    },
    close: (done) => done(),
  };
}

/**
 * `count` packets of a MAX30003 at 256 hz, a MAX30102 at 2 x 100 hz and a TMP117 on a synthetic patient, or with a recorded
 * ECG at the MAX30003's electrodes. What the board sent is decoded and cut into whole seconds; its vitals are left out.
 */
export function chipPackets(count: number, recording?: Recording): WirePacket[] {
  const clock = createVirtualClock();
  const messages = new Map<number, DataMessage>();
  let birth: BirthMessage | null = null;
  const node = createVirtualNode({
    clock,
    seed: 1,
    index: 0,
    noise: true,
    ...(recording && { recording }),
    gateways: [],
    link: () =>
      createListener((bytes) => {
        const message = decodeMessage(decodeEnvelope(bytes).payload);
        if (message.type === "data") messages.set(message.seq, message);
        else if (message.type === "birth") birth = message;
      }),
    boot: () => BOOT,
  });
  node.runtime.start();
  clock.runUntil((SETTLED + count + 4) * 1e6);
  if (birth === null) throw new Error("the simulated board sent no birth");
  return cut(birth, [...messages.values()], count);
}

/** Joins each channel's blocks and cuts them again, one second from every channel. */
function cut({ channels }: BirthMessage, messages: readonly DataMessage[], count: number): WirePacket[] {
  const waves = NAMES.map((name) => {
    const channel = channels.find(
      ({ rateMilliHz, attributes }) => rateMilliHz > 0 && (attributes.role ?? "ecg") === name,
    );
    if (channel === undefined) throw new Error(`the simulated board has no channel ${name}`);
    return { id: channel.id, name, rate: channel.rateMilliHz / 1000, bits: channel.bits, samples: [] as number[] };
  });
  const thermometer = channels.find(
    ({ attributes }) => attributes.chip === "TMP117" && (attributes.processing ?? 0) === 0,
  );
  const values: number[] = [];
  for (const { channels: blocks } of messages) {
    for (const block of blocks) {
      if (block.kind === "wave") {
        const wave = waves.find(({ id }) => id === block.id);
        const samples = decodeSamples(block.codec, block.bytes, block.n);
        for (let i = 0; wave !== undefined && i < samples.length; i++) wave.samples[block.idx + i] = samples[i]!;
      } else if (block.id === thermometer?.id && block.value !== null) values.push(block.value);
    }
  }
  if (thermometer === undefined || values.length < count) throw new Error("the simulated board has no temperature");
  return Array.from({ length: count }, (_, k) => ({
    boot: BOOT,
    seq: 3600 + k,
    tick: (3600 + k) * 1000 + 512,
    cfg: 1,
    waves: waves.map(({ id, name, rate, bits, samples }) => {
      const start = (SETTLED + k) * rate;
      const own = Int32Array.from({ length: rate }, (_, i) => {
        const value = samples[start + i];
        if (value === undefined) throw new Error(`the simulated board lost sample ${start + i} of ${name}`);
        return value;
      });
      // Since one hour ago: an index and a time of usual length.
      return { id, name, rate, bits, samples: own, idx: (3600 + k) * rate, dt: -1_002_000 - id * 1000 };
    }),
    temperature: { id: thermometer.id, dt: -12_000, value: values[values.length - count + k]! },
  }));
}

/** Records in a folder of the MIT-BIH Arrhythmia Database, sorted; none where there is no such folder. */
export function recordsIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".hea"));
    return names.sort().map((name) => join(folder, name.slice(0, -4)));
  } catch {
    return [];
  }
}

/**
 * The packets with the ECG replaced by signal 0 of a record: its own steps (11 bits in the MIT-BIH Arrhythmia Database) less
 * their baseline, at 250 hz by linear interpolation at t = k / 250, the seconds that the chips are measured in.
 */
export function withOwnSamples(packets: readonly WirePacket[], record: string): WirePacket[] {
  const file = readRecordSync(record);
  const { rate, samples } = countsOf(file, file.signals[0]!);
  const seconds = samples.subarray(SETTLED * rate, (SETTLED + packets.length) * rate + 1);
  const ecg = Int32Array.from(
    resampleLinear(seconds, rate, OWN_RATE),
    (value) => Math.sign(value) * Math.round(Math.abs(value)),
  );
  return packets.map((packet, k) => ({
    ...packet,
    waves: packet.waves.map((wave) =>
      wave.name !== "ecg"
        ? wave
        : {
            ...wave,
            rate: OWN_RATE,
            bits: file.signals[0]!.resolution,
            idx: (3600 + k) * OWN_RATE,
            samples: ecg.slice(k * OWN_RATE, (k + 1) * OWN_RATE),
          },
    ),
  }));
}

/** Signal 0 of a record as the electrodes of a chip see it, from its beginning on. */
export function asRecording(record: string): Recording {
  const file = readRecordSync(record);
  return { millivolts: millivolts(file.signals[0]!), rate: file.rate };
}
