/**
 * Vitals from what the chips measured: one place that turns waveforms into numbers, or into null with the flags that say
 * why. A number is never older than what it was computed from, and never a repetition.
 */
import { type Block, type Channel, FLAG_CLOCK_UNCERTAIN } from "../drivers/driver.ts";
import { type Attributes, type ChannelDefinition, MDC_HEART_RATE, MDC_PULSE_RATE } from "../protocol/messages.ts";
import type { ContactState } from "./contact.ts";
import { type Calibration, PUBLISHED } from "./dsp/calibration.ts";
import { HIGHEST_RATE, LOWEST_RATE } from "./dsp/ppg.ts";
import type { OnRhythm } from "./dsp/rhythm.ts";
import { HEART_RATES } from "./heart.ts";
import type { RateVerdict } from "./rates.ts";
import { createAgreement } from "./vitals/agreement.ts";
import { createHeartRate } from "./vitals/heart-rate.ts";
import { createPulse } from "./vitals/pulse.ts";
import type { Kind, OnVital, Source } from "./vitals/source.ts";
import { createTemperature } from "./vitals/temperature.ts";

export type { OnVital } from "./vitals/source.ts";

/** One chip, as far as vitals depend on it. */
export interface VitalsSensor {
  readonly channels: readonly Channel[];
  /** Where on the body: says which temperature it is. */
  readonly site?: string;
  /** SpO2 by the device's own calibration; absent: by a published curve, and every value is flagged as uncalibrated. */
  readonly calibration?: Calibration;
  /** Also an estimate of the respiration rate, from the pulse: about a tenth of what all vitals cost, and 9 kB. */
  readonly respiration?: boolean;
}

export interface Vitals {
  /** The vitals as channels, the first of them with this id. */
  definitions(firstId: number): ChannelDefinition[];
  /**
   * Takes a block of the sensor's channel at `place`, both by their place in what `createVitals` was given, the channels of
   * one poll in order.
   */
  take(sensor: number, place: number, block: Block): void;
  /** What is known of this channel once all channels of the poll were taken: flags that its samples carry besides their own. */
  flags(sensor: number, place: number): number;
  /** Its quality, 0 to 100, as of the last `read`; null where it is unknown. */
  quality(sensor: number, place: number): number | null;
  /**
   * This channel was interrupted: what it gave before does not belong to what comes. `why`: flags of its vitals until the next
   * block is taken; 0: they begin anew.
   */
  interrupted(sensor: number, place: number, why: number): void;
  /**
   * How fast the sensor measures, "nominal" until it is said: what rests on an "off" one carries FLAG_CLOCK_UNCERTAIN, on a
   * "wrong" one it is null besides, and no rhythm is told. What came at a wrong rate is not mixed with what comes at another.
   */
  rated(sensor: number, verdict: RateVerdict): void;
  /**
   * Calls `emit` for what there is as of `now`, board clock, us: once for every vital, and for every interval between
   * beats since the last call.
   */
  read(now: number, emit: OnVital): void;
  /** The same chip with other channels, for instance at another rate. */
  prepare(sensor: number, next: VitalsSensor): Successor;
  /** Told what the rhythm of the ECG is called, when it begins and when it ends (dsp/rhythm.ts), board clock, us. */
  onRhythm: OnRhythm;
  /** Told of each change of an oximeter's contact, as of a `read`; null: nothing is heard of it. `place`: of its light. */
  onContact: (sensor: number, place: number, state: ContactState | null) => void;
  /** Likewise of the electrodes of an ECG. */
  onElectrodes: (sensor: number, place: number, state: ContactState | null) => void;
  /** Told once after each opening that the sensor's red and infrared are taken for each other (vitals/pulse.ts). */
  onSwapped: (sensor: number) => void;
}

/** What a chip's vitals would be. */
export interface Successor {
  /** The same vitals in the same order, so that `definitions` does not change. */
  readonly same: boolean;
  /** From here on: what the other chips give goes on, this one's begins anew. */
  use(): void;
}

interface Held {
  value: number | null;
  flags: number;
  quality: number | null;
}

/** Quality, 0 to 100, of heart rate and pulse rate that differ: at most. */
const DISPUTED = 30;

const find = (channels: readonly Channel[], name: string): number => {
  for (let i = 0; i < channels.length; i++) if (channels[i].name === name) return i;
  return -1;
};

type Told = Pick<Vitals, "onRhythm" | "onContact" | "onElectrodes" | "onSwapped">;

/** `number`: the sensor's. `told` may be set later; `verdicts` change. */
const makeSources = (sensor: VitalsSensor, number: number, told: Told, verdicts: readonly RateVerdict[]): Source[] => {
  const channels = sensor.channels;
  const sources: Source[] = [];
  const ecg = find(channels, "ecg");
  if (ecg >= 0 && HEART_RATES.indexOf(channels[ecg].rate) >= 0) {
    const onRhythm: OnRhythm = (state, onset, end) => {
      if (verdicts[number] !== "wrong") told.onRhythm(state, onset, end);
    };
    sources.push(createHeartRate(channels[ecg], ecg, onRhythm, (state) => told.onElectrodes(number, ecg, state)));
  }
  const red = find(channels, "red");
  const infrared = find(channels, "infrared");
  const light = infrared >= 0 ? infrared : find(channels, "green");
  if (light >= 0 && channels[light].rate >= LOWEST_RATE && channels[light].rate <= HIGHEST_RATE) {
    sources.push(
      createPulse(
        {
          light: channels[light],
          lightPlace: light,
          redPlace: infrared >= 0 ? red : -1,
          calibration: sensor.calibration ?? PUBLISHED[0],
          respiration: sensor.respiration === true,
        },
        {
          onContact: (state) => told.onContact(number, light, state),
          onSwapped: () => told.onSwapped(number),
        },
      ),
    );
  }
  const named = find(channels, "temperature");
  const temperature = named >= 0 ? named : find(channels, "object");
  if (temperature >= 0 && channels[temperature].rate > 0) {
    sources.push(createTemperature(channels[temperature], temperature, sensor.site));
  }
  return sources;
};

const kindsOf = (sources: readonly Source[]): Kind[] => {
  let kinds: Kind[] = [];
  for (let i = 0; i < sources.length; i++) kinds = kinds.concat(sources[i].kinds);
  return kinds;
};

const define = (id: number, kind: Kind): ChannelDefinition => {
  const attributes: Attributes = Object.assign(
    { processing: 2 as const },
    kind.role === undefined ? null : { role: kind.role },
    kind.site === undefined ? null : { site: kind.site },
    kind.calibration === undefined ? null : { calibration: kind.calibration },
    kind.minimum === undefined ? null : { minimum: kind.minimum },
    kind.maximum === undefined ? null : { maximum: kind.maximum },
  );
  return {
    id,
    mdc: kind.mdc,
    rateMilliHz: 0,
    bits: kind.bits,
    offset: 0,
    mul: 1,
    exp10: kind.exp10,
    ucum: kind.ucum,
    attributes,
  };
};

/**
 * Makes what the sensors allow: a heart rate from "ecg", oximetry from "red" and "infrared" of one chip (a pulse alone from
 * "infrared" or "green" alone), a temperature from "temperature" or "object".
 */
export function createVitals(sensors: readonly VitalsSensor[]): Vitals {
  const vitals: Told = {
    onRhythm: () => {},
    onContact: () => {},
    onElectrodes: () => {},
    onSwapped: () => {},
  };
  const bySensor: Source[][] = [];
  const verdicts: RateVerdict[] = sensors.map(() => "nominal");
  let sources: Source[] = [];
  /** Whose they are. */
  let owners: number[] = [];
  let kinds: Kind[] = [];
  const agreement = createAgreement();
  let heartRate = -1;
  let pulseRate = -1;
  /** Where they are, the first one first. */
  let ends: number[] = [];
  for (let s = 0; s < sensors.length; s++) bySensor.push(makeSources(sensors[s], s, vitals, verdicts));
  const arrange = (): void => {
    sources = [];
    owners = [];
    for (let s = 0; s < bySensor.length; s++) {
      sources = sources.concat(bySensor[s]);
      while (owners.length < sources.length) owners.push(s);
    }
    kinds = kindsOf(sources);
    heartRate = -1;
    pulseRate = -1;
    for (let i = kinds.length - 1; i >= 0; i--) {
      if (kinds[i].mdc === MDC_HEART_RATE) heartRate = i;
      if (kinds[i].mdc === MDC_PULSE_RATE) pulseRate = i;
    }
    ends = [];
    for (let i = 0; i < kinds.length; i++) if (i === heartRate || i === pulseRate) ends.push(i);
  };
  arrange();
  /** What was read of those two: they are told when both are known. */
  const heart: Held = { value: null, flags: 0, quality: null };
  const pulse: Held = { value: null, flags: 0, quality: null };

  const raw = (index: number, value: number | null): number | null =>
    value === null ? null : Math.round(value * kinds[index].scale);
  const dispute = (held: Held): void => {
    if (held.value !== null) held.quality = held.quality === null ? DISPUTED : Math.min(held.quality, DISPUTED);
  };

  return Object.assign(vitals, {
    definitions: (firstId: number): ChannelDefinition[] => {
      const definitions: ChannelDefinition[] = [];
      for (let i = 0; i < kinds.length; i++) definitions.push(define(firstId + i, kinds[i]));
      return definitions;
    },
    take: (sensor: number, place: number, block: Block): void => {
      const own = bySensor[sensor];
      for (let i = 0; i < own.length; i++) own[i].take(place, block);
    },
    flags: (sensor: number, place: number): number => {
      const own = bySensor[sensor];
      let all = 0;
      for (let i = 0; i < own.length; i++) all |= own[i].flags(place);
      return all;
    },
    quality: (sensor: number, place: number): number | null => {
      const own = bySensor[sensor];
      for (let i = 0; i < own.length; i++) {
        const known = own[i].quality(place);
        if (known !== null) return known;
      }
      return null;
    },
    interrupted: (sensor: number, place: number, why: number): void => {
      const own = bySensor[sensor];
      for (let i = 0; i < own.length; i++) own[i].interrupted(place, why);
    },
    rated: (sensor: number, verdict: RateVerdict): void => {
      const own = bySensor[sensor];
      const changes = (verdict === "wrong") !== (verdicts[sensor] === "wrong");
      for (let place = 0; changes && place < sensors[sensor].channels.length; place++) {
        for (let i = 0; i < own.length; i++) own[i].interrupted(place, 0);
      }
      verdicts[sensor] = verdict;
    },
    prepare: (sensor: number, next: VitalsSensor): Successor => {
      const own = makeSources(next, sensor, vitals, verdicts);
      return {
        same: JSON.stringify(kindsOf(own)) === JSON.stringify(kindsOf(bySensor[sensor])),
        use: (): void => {
          bySensor[sensor] = own;
          arrange();
        },
      };
    },
    read: (now: number, emit: OnVital): void => {
      let first = 0;
      let verdict: RateVerdict = "nominal";
      const give: OnVital = (place, measured, reasons, known, at) => {
        const index = first + place;
        const value = verdict === "wrong" ? null : measured;
        const quality = verdict === "wrong" ? null : known;
        const why = verdict === "nominal" ? reasons : reasons | FLAG_CLOCK_UNCERTAIN;
        if (index !== heartRate && index !== pulseRate) {
          emit(index, raw(index, value), why, quality, at);
          return;
        }
        const held = index === heartRate ? heart : pulse;
        held.value = value;
        held.flags = why;
        held.quality = quality;
      };
      for (let i = 0; i < sources.length; i++) {
        verdict = verdicts[owners[i]];
        sources[i].read(now, give);
        first += sources[i].kinds.length;
      }
      if (heartRate >= 0 && pulseRate >= 0 && agreement.update(heart.value, pulse.value, now)) {
        dispute(heart);
        dispute(pulse);
      }
      for (let i = 0; i < ends.length; i++) {
        const held = ends[i] === heartRate ? heart : pulse;
        emit(ends[i], raw(ends[i], held.value), held.flags, held.quality, null);
      }
    },
  });
}
