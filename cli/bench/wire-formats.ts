/**
 * The same packet in formats that others use, each as small as its rules allow with the same content: values as raw counts,
 * their times, which message of which boot. None is signed. What reads each back proves that nothing is lost.
 */
import type { WirePacket } from "./wire-packets.ts";

export interface WireFormat {
  readonly name: string;
  encode(packet: WirePacket): Uint8Array;
  /** The values by channel in the packet's order, the temperature last. */
  decode(bytes: Uint8Array): number[][];
}

const utf8 = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const parsed = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));

/** One object a message, an array a channel. */
export const json: WireFormat = {
  name: "JSON, an array a channel",
  encode: ({ boot, seq, tick, cfg, waves, temperature }) =>
    utf8({
      boot,
      seq,
      tick,
      cfg,
      waves: waves.map(({ id, idx, dt, samples }) => ({ id, idx, dt, samples: [...samples] })),
      temperature: { dt: temperature.dt, value: temperature.value },
    }),
  decode(bytes) {
    const { waves, temperature } = parsed(bytes);
    return [...waves.map(({ samples }: { samples: number[] }) => samples), [temperature.value]];
  },
};

/** A record of SenML: labels of RFC 8428 section 4.3. */
export interface SenmlRecord {
  bn?: string;
  bt?: number;
  bu?: string;
  t?: number;
  v: number;
}

/**
 * A SenML pack (RFC 8428): the base fields, with the whole name, stand in the first record of a channel, so that every other
 * has time and value alone. Raw counts: the registry's unit "count".
 */
export function senmlPack({ boot, seq, tick, waves, temperature }: WirePacket): SenmlRecord[] {
  const pack: SenmlRecord[] = [];
  const base = (name: string, dt: number) => ({
    bn: `urn:dev:ow:1563545644dd02b0:${boot}:${seq}:${name}`,
    bt: (tick * 1000 + dt) / 1e6,
    bu: "count",
  });
  for (const { name, rate, dt, samples } of waves) {
    samples.forEach((v, i) => {
      pack.push(i === 0 ? { ...base(name, dt), v } : { t: i / rate, v });
    });
  }
  pack.push({ ...base("temperature", temperature.dt), v: temperature.value });
  return pack;
}

export function senmlValues(pack: readonly SenmlRecord[]): number[][] {
  const values: number[][] = [];
  for (const { bn, v } of pack) {
    if (bn !== undefined) values.push([]);
    values.at(-1)!.push(v);
  }
  return values;
}

export const senmlJson: WireFormat = {
  name: "SenML JSON",
  encode: (packet) => utf8(senmlPack(packet)),
  decode: (bytes) => senmlValues(parsed(bytes)),
};

// ---------------------------------------------------------------- protobuf: varints (protobuf.dev/programming-guides/encoding)

const VARINT = 0;
const LENGTH = 2;
const zigzag = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number) => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

function pushVarint(out: number[], value: number): void {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push(128 | (rest % 128));
  out.push(rest);
}

function pushField(out: number[], field: number, value: number | readonly number[]): void {
  const nested = typeof value !== "number";
  pushVarint(out, field * 8 + (nested ? LENGTH : VARINT));
  pushVarint(out, nested ? value.length : value);
  if (nested) for (const byte of value) out.push(byte);
}

function varints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  let weight = 1;
  for (const byte of bytes) {
    value += (byte & 127) * weight;
    weight *= 128;
    if (byte < 128) {
      values.push(value);
      value = 0;
      weight = 1;
    }
  }
  if (weight !== 1) throw new Error("a varint without its end");
  return values;
}

/** Fields of a message in their order: a number, or the bytes within. */
function fields(bytes: Uint8Array): [field: number, value: number | Uint8Array][] {
  const found: [number, number | Uint8Array][] = [];
  let at = 0;
  const next = () => {
    const start = at;
    while (bytes[at]! > 127) at++;
    return varints(bytes.subarray(start, ++at))[0]!;
  };
  while (at < bytes.length) {
    const key = next();
    const value = next();
    if (key % 8 === VARINT) found.push([Math.floor(key / 8), value]);
    else {
      found.push([Math.floor(key / 8), bytes.subarray(at, at + value)]);
      at += value;
    }
  }
  return found;
}

/**
 * message Packet { uint32 boot = 1, seq = 2; uint64 tick = 3; uint32 cfg = 4; repeated Wave wave = 5; Num temperature = 6; }
 * message Wave { uint32 id = 1; uint64 idx = 2; sint64 dt = 3; repeated sint32 samples = 4 [packed]; }
 * message Num { uint32 id = 1; sint64 dt = 2; sint32 value = 3; }
 */
function protobuf(name: string, differences: boolean): WireFormat {
  return {
    name,
    encode({ boot, seq, tick, cfg, waves, temperature }) {
      const out: number[] = [];
      [boot, seq, tick, cfg].forEach((value, i) => {
        pushField(out, i + 1, value);
      });
      for (const { id, idx, dt, samples } of waves) {
        const packed: number[] = [];
        samples.forEach((value, i) => {
          pushVarint(packed, zigzag(differences && i > 0 ? value - samples[i - 1]! : value));
        });
        const wave: number[] = [];
        pushField(wave, 1, id);
        pushField(wave, 2, idx);
        pushField(wave, 3, zigzag(dt));
        pushField(wave, 4, packed);
        pushField(out, 5, wave);
      }
      const num: number[] = [];
      pushField(num, 1, temperature.id);
      pushField(num, 2, zigzag(temperature.dt));
      pushField(num, 3, zigzag(temperature.value));
      pushField(out, 6, num);
      return Uint8Array.from(out);
    },
    decode(bytes) {
      const values: number[][] = [];
      for (const [field, value] of fields(bytes)) {
        if (typeof value === "number") continue;
        const inner = fields(value);
        if (field === 6) values.push([unzigzag(inner[2]![1] as number)]);
        else {
          const samples = varints(inner[3]![1] as Uint8Array).map(unzigzag);
          if (differences) for (let i = 1; i < samples.length; i++) samples[i]! += samples[i - 1]!;
          values.push(samples);
        }
      }
      return values;
    },
  };
}

export const protobufPlain = protobuf("protobuf, packed sint32", false);
export const protobufDifferences = protobuf("protobuf, packed sint32 of differences", true);

// ---------------------------------------------------------------- EDF

/** Bytes of an EDF or BDF header: 256, and 256 for every signal. Once a file. */
export const edfHeaderBytes = (packet: WirePacket): number => 256 * (packet.waves.length + 2);

/** One signal of a record. */
export interface EdfSignal {
  /** Samples in a record. */
  readonly length: number;
  /** Taken off before, as the header's digital and physical range tell: a converter without a sign gets one. */
  readonly offset: number;
  /** Low bits that do not fit, and are cut. */
  readonly cut: number;
}

/**
 * A data record of one second: every signal's samples in two's complement, little-endian, 16 bits in EDF (Kemp et al. 1992),
 * 24 in BDF. The temperature is the last signal. `encode` throws Error for a value that does not fit.
 */
export function edf(bits: 16 | 24, signals: readonly EdfSignal[]): WireFormat {
  const width = bits / 8;
  return {
    name: `${bits === 16 ? "EDF" : "BDF"} record, ${bits} bits`,
    encode({ waves, temperature }) {
      const all = [...waves.map(({ samples }) => samples), [temperature.value]];
      const bytes = Buffer.alloc(width * all.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      signals.forEach(({ offset, cut }, s) => {
        for (const sample of all[s]!) at = bytes.writeIntLE((sample - offset) >> cut, at, width);
      });
      return new Uint8Array(bytes);
    },
    decode(bytes) {
      const view = Buffer.from(bytes);
      let at = -width;
      return signals.map(({ length, offset, cut }) =>
        Array.from({ length }, () => {
          at += width;
          return view.readIntLE(at, width) * 2 ** cut + offset;
        }),
      );
    },
  };
}
