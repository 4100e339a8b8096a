/**
 * ADS1292R at register level (TI SBAS502C): commands and the time that it takes to decode them, RDATA and RDATAC, DRDY,
 * START by pin and by command, single shot, standby, reset and power-down, lead-off, test signal, respiration. Not
 * modelled: filters (so a conversion is the voltage at its end), AC lead-off, offset calibration, daisy chains, CLK_DIV.
 * What no source settles, and is assumed here: README.md.
 */
import {
  type EmulatedChip,
  type EmulatorOptions,
  type Input,
  type Signal,
  type SpiEmulator,
  setSignal,
} from "../emulator.ts";
import * as a from "./emulator-analog.ts";
import * as r from "./registers.ts";

export interface Ads1292rEmulatorOptions extends EmulatorOptions {
  /** ID register: 0x53 makes it an ADS1292, 0x52 an ADS1291. Default 0x73. */
  readonly id?: number;
}

/** By address: after a reset (table 16), and the bits that a write can change. */
const RESETS = [0, 0x02, 0x80, 0x10, 0, 0, 0, 0, 0, 0, 0x02, 0x0c];
const WRITABLE = [0, 0x87, 0xfb, 0xfd, 0xff, 0xff, 0xff, 0x3f, r.CLK_DIV, 0xff, 0x87, 0x0f];

/** tCLK at the nominal 512 khz, and tMOD = 4 tCLK, us. */
const T_CLK = 1e6 / 512000;
const T_MOD = 4 * T_CLK;
/** tMOD until it answers: after power-up, after RESET; and how long its pin is low when it powers down. */
const POWER_UP = 4096;
const RESET_TIME = 9;
const POWER_DOWN = 512;

const scale = (gain: number, reference: number) => reference / (gain * 8388607);
const input = (channel: string, gain: "gain1" | "gain2"): Input<r.Ads1292rConfiguration> => ({
  channel,
  unit: "V",
  minimum: -0.2,
  maximum: 0.2,
  epsilon: (c) => 0.500001 * scale(c[gain], c.reference),
  expected: (value, c) => a.ideal(value, c[gain], c.reference) * scale(c[gain], c.reference),
});
const inputs: Record<string, Input<r.Ads1292rConfiguration>> = {
  /** Between IN2P and IN2N, V; between IN1P and IN1N without respiration, V. */
  ecg: input("ecg", "gain2"),
  ecg1: input("ecg1", "gain1"),
  /** Between IN1P and IN1N behind the demodulator, V: impedance times carrier current. */
  respiration: input("respiration", "gain1"),
  /** Electrodes that are off: 1 IN1P, 2 IN1N, 4 IN2P, 8 IN2N, 16 RLD. */
  leadOff: { unit: "1", minimum: 0, maximum: 31, epsilon: 0 },
  /** Between IN3P and IN3N. */
  auxiliary: { unit: "V", minimum: -0.2, maximum: 0.2, epsilon: 0 },
  temperature: { unit: "Cel", minimum: -40, maximum: 85, epsilon: 0 },
  analogSupply: { unit: "V", minimum: 2.7, maximum: 5.25, epsilon: 0 },
  digitalSupply: { unit: "V", minimum: 1.7, maximum: 3.6, epsilon: 0 },
};

function create(options: Ads1292rEmulatorOptions): SpiEmulator {
  const oscillator = options.oscillator ?? 1;
  const tClk = T_CLK / oscillator;
  const tMod = T_MOD / oscillator;
  const signals: Record<string, Signal> = {};
  for (const name of Object.keys(inputs)) signals[name] = () => 0;
  signals.temperature = () => 25;
  signals.analogSupply = signals.digitalSupply = () => 3.3;
  const registers = new Uint8Array(12);
  /** Status word and both channels: what RDATAC shifts out, and what the last RDATA took of it. */
  const data = new Uint8Array(9);
  const latched = new Uint8Array(9);
  let now = 0;
  let poweredAt = 0;
  let level: 0 | 1 = 1;
  let busyUntil = 0;
  let resetPin: 0 | 1 = 1;
  let resetSince = 0;
  let startPin: 0 | 1 = 0;
  let commanded = false;
  let standby = false;
  let rdatac = true;
  /** Conversion k ends at startedAt + (4 x decimation + 4 + k x decimation) tMOD; `last`: and is the last one. */
  let startedAt = Number.POSITIVE_INFINITY;
  let last = false;
  let k = 0;
  // One transaction. `timed`: time goes by between its bytes; a host without a bus clock cannot be too fast.
  let selectedAt = 0;
  let fresh = false;
  let timed = false;
  let deaf = false;
  let output: Uint8Array | null = null;
  let position = 0;
  let command = 0;
  let address = 0;
  let left = 0;
  /** What the last byte asked for, done when it is decoded; and when that byte ended. */
  let pending: (() => void) | null = null;
  let byteAt = Number.NEGATIVE_INFINITY;

  const get = (register: number) => registers[register];
  const ask = (name: string) => signals[name](now / 1e6, k / a.rateOf(get));
  const conversionAt = () =>
    startedAt === Number.POSITIVE_INFINITY ? startedAt : startedAt + ((4 + k) * a.decimation(get) + 4) * tMod;
  const decodedAt = () => (pending === null ? Number.POSITIVE_INFINITY : byteAt + 4 * tClk);
  const nextAt = () => Math.min(conversionAt(), decodedAt());

  const setLevel = (next: 0 | 1) => {
    if (next === level) return;
    level = next;
    emulator.onInterrupt?.(level, now);
  };

  /** Conversions begin, at the earliest when it is awake. */
  const start = () => {
    setLevel(1);
    last = false;
    k = 0;
    startedAt = Math.max(now, busyUntil);
  };
  const halt = () => {
    startedAt = Number.POSITIVE_INFINITY;
    last = false;
    setLevel(1);
  };
  const wanted = () => commanded || startPin === 1;

  const reset = (duration: number) => {
    registers.set(RESETS);
    registers[r.ID] = options.id ?? r.ID_ADS1292R;
    data.fill(0);
    data[0] = 0xc0;
    rdatac = true;
    standby = commanded = false;
    output = null;
    pending = null;
    left = 0;
    command = 0;
    busyUntil = now + duration * tMod;
    if (startPin === 1) start();
    else halt();
  };

  const convert = () => {
    const off = a.leadsOff(get, ask);
    data[0] = 0xc0 | (off >> 1);
    data[1] = ((off & 1) << 7) | ((registers[r.GPIO] & ~(registers[r.GPIO] >> 2) & 3) << 5);
    data[2] = 0;
    const time = ((now - poweredAt) * oscillator) / 1e6;
    for (let place = 0; place < 2; place++) {
      const code = a.convert(get, ask, place, time, options.noise);
      data.set([code >> 16, code >> 8, code], 3 + 3 * place);
      if ((registers[r.CH1SET + place] & r.PD) !== 0) continue;
      const name = place === 1 ? "ecg" : (registers[r.RESP1] & r.RESP_MOD_EN) !== 0 ? "respiration" : "ecg1";
      emulator.onConvert?.(name, code, now);
    }
    k++;
    if (last || (registers[r.CONFIG1] & r.SINGLE_SHOT) !== 0) {
      startedAt = Number.POSITIVE_INFINITY;
      last = false;
    }
    // Not read: DRDY goes high for a moment, so that there is an edge all the same.
    setLevel(1);
    setLevel(0);
  };

  const store = (register: number, value: number) => {
    if (register >= registers.length) return;
    const before = registers[register];
    registers[register] = (before & ~WRITABLE[register]) | (value & WRITABLE[register]);
    // A new value of CONFIG1 resets the filter.
    if (register === r.CONFIG1 && registers[register] !== before && startedAt !== Number.POSITIVE_INFINITY) start();
  };

  const fetch = (register: number): number => {
    if (register === r.LOFF_STAT) return registers[register] | a.leadsOff(get, ask);
    // Pins that are inputs are low.
    if (register === r.GPIO) return registers[register] & ~((registers[register] >> 2) & 3);
    return registers[register] ?? 0;
  };

  const perform = (byte: number) => {
    if (standby && byte !== r.WAKEUP) return;
    if (byte === r.WAKEUP && standby) {
      standby = false;
      if (wanted()) start();
    } else if (byte === r.STANDBY) {
      standby = true;
      halt();
    } else if (byte === r.RESET) reset(RESET_TIME);
    else if (byte === r.START) {
      commanded = true;
      if (startedAt === Number.POSITIVE_INFINITY || last) start();
    } else if (byte === r.STOP) {
      commanded = false;
      // The conversion in progress completes.
      last = startPin === 0 && startedAt !== Number.POSITIVE_INFINITY;
    } else if (byte === r.RDATAC || byte === r.SDATAC) {
      rdatac = byte === r.RDATAC;
      output = rdatac ? data : null;
      position = 0;
    }
  };

  /** Done within 4 tCLK from the end of the byte; at once for a host without a bus clock. */
  const decode = (action: () => void) => {
    byteAt = now;
    if (timed) pending = action;
    else action();
  };
  const finish = () => {
    const action = pending;
    pending = null;
    action?.();
  };

  /** A byte where a command can be. */
  const take = (byte: number) => {
    if (byte === r.RDATA) {
      if (rdatac || standby) return;
      latched.set(data);
      output = latched;
      position = 0;
    } else if (byte >> 5 === 1 || byte >> 5 === 2) {
      if (rdatac || standby) return; // "When in RDATAC mode, the RREG command is ignored" (table 15)
      command = byte & 0xe0;
      address = byte & 0x1f;
      left = -1;
      byteAt = now;
    } else if (byte !== 0) decode(() => perform(byte));
  };

  const emulator: SpiEmulator = {
    model: r.MODEL,
    inputs: inputs as Readonly<Record<string, Input<never>>>,
    onInterrupt: null,
    onConvert: null,
    get nextAt() {
      return nextAt();
    },
    get interrupt() {
      return level;
    },
    set: (name, value) => setSignal(r.MODEL, signals, name, value),
    powerOn(at) {
      now = poweredAt = at;
      reset(POWER_UP);
    },
    advance(to) {
      while (nextAt() <= to) {
        now = nextAt();
        if (decodedAt() <= now) finish();
        else convert();
      }
      now = Math.max(now, to);
    },
    pin(name, next) {
      if (name === "reset" && next !== resetPin) {
        resetPin = next;
        if (next === 0) {
          resetSince = now;
          reset(0);
          halt();
        } else reset(now - resetSince >= POWER_DOWN * tMod ? POWER_UP : RESET_TIME);
      } else if (name === "start" && next !== startPin) {
        startPin = next;
        if (resetPin === 0 || standby || commanded) return;
        if (next === 1) start();
        else last = startedAt !== Number.POSITIVE_INFINITY;
      }
    },
    select() {
      selectedAt = now;
      fresh = true;
      deaf = false;
      output = rdatac ? data : null;
      position = 0;
      left = 0;
      byteAt = Number.NEGATIVE_INFINITY;
    },
    exchange(byte) {
      if (fresh) timed = now > selectedAt;
      fresh = false;
      if (resetPin === 0) return 0xff; // not driven
      if (now < busyUntil) return 0;
      setLevel(1);
      // Bytes are decoded in 4 tCLK; one that comes sooner, and what was asked for before it, is lost until CS is high.
      if (timed && now - byteAt < 4 * tClk - 1e-6) {
        pending = null;
        deaf = true;
      }
      if (deaf) return 0;
      byteAt = Number.NEGATIVE_INFINITY;
      if (left < 0) {
        left = (byte & 31) + 1;
        byteAt = now;
        return 0;
      }
      if (left > 0) {
        left--;
        const register = address++;
        if (command === r.RREG) return fetch(register);
        decode(() => store(register, byte));
        return 0;
      }
      const out = output === null ? 0 : output[position % 9];
      position++;
      take(byte);
      return out;
    },
    deselect() {
      // tSCCS: 3 tCLK from the last bit to CS high.
      if (timed && now - byteAt < 3 * tClk - 1e-6) pending = null;
      left = 0;
      output = null;
    },
  };
  return emulator;
}

export const emulated = { model: r.MODEL, bus: "spi", create } satisfies EmulatedChip;
