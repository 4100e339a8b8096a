/**
 * MAX30003 at register level: SPI words, FIFO with tags and overflow, interrupts, PLL, calibration source, lead-off.
 * Pages: MAX30001G data sheet (same ECG channel). Not modelled: analog and digital filters (so the code is the rounded
 * voltage), R-to-R detection, ultra-low-power lead-on. What no source settles, and is assumed here: README.md.
 */
import {
  type EmulatedChip,
  type EmulatorOptions,
  type Input,
  type Signal,
  type SpiEmulator,
  setSignal,
} from "../emulator.ts";
import { clamp, convertVoltage, fastSamples, lowPassOf, rateOf } from "./analog.ts";
import * as r from "./registers.ts";

/** Reset values (p. 43..52; CNFG_RTOR from the MAX30003's public drivers), and the bits that a write can change. */
const REGISTERS: readonly (readonly [register: number, reset: number, writable: number])[] = [
  [r.EN_INT, 0x000003, 0xf00f03],
  [r.EN_INT2, 0x000003, 0xf00f03],
  [r.MNGR_INT, 0x780004, 0xf80077],
  [r.MNGR_DYN, 0x3f0000, 0xff0000],
  [r.CNFG_GEN, r.GEN_RESET, 0xf83fff],
  [r.CNFG_CAL, r.CAL_RESET, 0x707fff],
  [r.CNFG_EMUX, 0x300000, 0xbf0000],
  [r.CNFG_ECG, 0x805000, 0xc37000],
  [r.CNFG_RTOR1, 0x3f2300, 0xfffff0],
  [r.CNFG_RTOR2, 0x202400, 0x3f7f00],
];
const INFO_VALUE = 0x513000;

/** A lead must be off, and the output saturated, for longer than this, us (p. 23: 115 to 140 ms; p. 26). */
const LEAD_OFF_TIME = 115_000;
const SATURATION_TIME = 125_000;
/** Time until the PLL locks, us. Assumed. */
const LOCK_TIME = 10_000;

const inputs: Record<string, Input<r.Max30003Configuration>> = {
  /** Between the electrodes, V. Range: full scale at the lowest gain. */
  ecg: {
    channel: "ecg",
    unit: "V",
    minimum: -0.05,
    maximum: 0.05,
    epsilon: 2e-7,
    expected: (value, { gain }) => clamp(value * gain * 131072) / (gain * 131072),
  },
  /** 1: an electrode is off. The ecg input goes on: what an amplifier makes of an open lead is the feeder's business. */
  leadOff: { unit: "1", minimum: 0, maximum: 1, epsilon: 0 },
};

function create(options: EmulatorOptions): SpiEmulator {
  const oscillator = options.oscillator ?? 1;
  const signals: Record<string, Signal> = { ecg: () => 0, leadOff: () => 0 };
  const registers = new Map<number, number>();
  const fifo: number[] = [];
  let now = 0;
  let level: 0 | 1 = 1;
  /** The first command after power-up does not read INFO (p. 47). */
  let fresh = true;
  /** STATUS bits that are kept: EOVF, FSTINT, DCLOFFINT with LDOFF, PLLINT, SAMP. */
  let latched = 0;
  /** Those whose condition holds now: reading does not clear them. */
  let active = 0;
  let lockedAt = Number.POSITIVE_INFINITY;
  /** SYNCH was given: conversion k comes at startedAt + k periods. */
  let running = false;
  let startedAt = 0;
  let k = 0;
  let sampleEndsAt = Number.POSITIVE_INFINITY;
  let leadOffSince = Number.POSITIVE_INFINITY;
  let saturatedSince = Number.POSITIVE_INFINITY;
  let fastLeft = 0;
  let recovering = false;
  // One transaction: command, bytes so far, the word that goes out, the word that came in.
  let command = 0;
  let bytes = 0;
  let outgoing = 0;
  let incoming = 0;
  let fetched = false;

  const get = (register: number) => registers.get(register) ?? 0;
  const field = (register: number, shift: number, mask: number) => (get(register) >> shift) & mask;
  const rate = () => rateOf(get);
  const period = () => 1e6 / (rate() * oscillator);
  const enabled = () => (get(r.CNFG_GEN) & r.EN_ECG) !== 0;
  const conversionAt = () => (running ? startedAt + (k * 1e6) / (rate() * oscillator) : Number.POSITIVE_INFINITY);

  const endSample = () => {
    if (now < sampleEndsAt) return;
    latched &= ~r.SAMP;
    sampleEndsAt = Number.POSITIVE_INFINITY;
  };
  const status = () => {
    endSample();
    return latched | active | (fifo.length > field(r.MNGR_INT, r.EFIT_SHIFT, 31) ? r.EINT : 0);
  };

  /** Drives the interrupt pin: low while an enabled bit of STATUS is set, high impedance with type 00 (p. 43, 44). */
  const update = () => {
    const enable = get(r.EN_INT);
    const next = (enable & 3) !== 0 && (status() & enable & 0xffff00) !== 0 ? 0 : 1;
    if (next === level) return;
    level = next;
    emulator.onInterrupt?.(level, now);
  };

  const resetFifo = () => {
    fifo.length = 0;
    latched &= ~r.EOVF;
  };

  /** Begins to convert, at the earliest when the PLL has locked. */
  const start = () => {
    running = enabled();
    startedAt = Math.max(now, lockedAt);
    k = 0;
    sampleEndsAt = leadOffSince = saturatedSince = Number.POSITIVE_INFINITY;
    fastLeft = active = 0;
    recovering = false;
  };

  const powerUp = () => {
    for (const [register, value] of REGISTERS) registers.set(register, value);
    fresh = true;
    latched = active = 0;
    lockedAt = Number.POSITIVE_INFINITY;
    running = false;
    sampleEndsAt = Number.POSITIVE_INFINITY;
    resetFifo();
    update();
  };

  /** A condition holds, or not any more: its STATUS bits stay until they are read. */
  const indicate = (bits: number, holds: boolean) => {
    active = holds ? active | bits : active & ~bits;
    if (holds) latched |= bits;
  };

  const watchLead = () => {
    const looked = field(r.CNFG_GEN, 12, 3) === 1 && field(r.CNFG_GEN, r.IMAG_SHIFT, 7) !== 0;
    const off = looked && signals.leadOff(now / 1e6, k / rate()) >= 0.5;
    leadOffSince = off ? Math.min(leadOffSince, now) : Number.POSITIVE_INFINITY;
    // ECGP is pulled up and ECGN down, or the other way round (IPOL).
    const electrodes = (get(r.CNFG_GEN) & 0x800) !== 0 ? 0x6 : 0x9;
    indicate(r.DCLOFFINT | electrodes, now - leadOffSince > LEAD_OFF_TIME);
  };

  /** Fast recovery (p. 26, 45): manual, or automatic once the output was saturated for long. True: it is on. */
  const watchRecovery = (code: number) => {
    const mode = field(r.MNGR_DYN, 22, 3);
    const saturated = mode === 2 && fastLeft === 0 && Math.abs(code) > 2048 * field(r.MNGR_DYN, 16, 63);
    saturatedSince = saturated ? Math.min(saturatedSince, now) : Number.POSITIVE_INFINITY;
    if (now - saturatedSince > SATURATION_TIME) fastLeft = fastSamples(get);
    const on = mode === 1 || fastLeft > 0;
    if (fastLeft > 0) fastLeft--;
    if ((get(r.MNGR_INT) & 0x40) === 0) indicate(r.FSTINT, on);
    else if (on && !recovering) latched |= r.FSTINT; // CLR_FAST: told once
    recovering = on;
    return on;
  };

  const convert = () => {
    const code = convertVoltage(get, (sinceStart) => signals.ecg(now / 1e6, sinceStart), k / rate(), options.noise);
    emulator.onConvert?.("ecg", code, now);
    watchLead();
    const tag = watchRecovery(code) ? r.TAG_FAST : 0;
    if (fifo.length < r.FIFO_WORDS) fifo.push(((code & 0x3ffff) << 6) | (tag << 3));
    else latched |= r.EOVF;
    if (k % [1, 2, 4, 16][get(r.MNGR_INT) & 3] === 0) {
      latched |= r.SAMP;
      if ((get(r.MNGR_INT) & r.CLR_SAMP) !== 0) sampleEndsAt = now + period() / 4;
    }
    k++;
    update();
  };

  /** The end of SAMP is an event only for the pin. */
  const nextAt = () => ((get(r.EN_INT) & r.SAMP) !== 0 ? Math.min(conversionAt(), sampleEndsAt) : conversionAt());

  const setRegister = (register: number, value: number) => {
    if (register === r.SW_RST || register === r.SYNCH || register === r.FIFO_RST) {
      if (value !== 0) return;
      if (register === r.SW_RST) return powerUp();
      resetFifo();
      if (register === r.SYNCH) start();
    } else {
      const entry = REGISTERS.find((candidate) => candidate[0] === register);
      if (entry === undefined) return;
      const before = get(register);
      registers.set(register, value & entry[2]);
      const changed = before ^ get(register);
      if (register === r.CNFG_GEN && (changed & (r.EN_ECG | (3 << r.FMSTR_SHIFT))) !== 0) {
        // The PLL runs with the channel, and must lock again when its frequency changes.
        lockedAt = enabled() ? now + LOCK_TIME : Number.POSITIVE_INFINITY;
        if (enabled()) latched |= r.PLLINT;
        else latched &= ~r.PLLINT;
        running = running && enabled();
        if (running) start();
      } else if (register === r.CNFG_ECG && running && (changed & (3 << r.RATE_SHIFT)) !== 0) start();
    }
    update();
  };

  /** The 24 bits that a read delivers; FIFO words are looked at here and removed when they are through. */
  const fetch = (register: number): number => {
    fetched = false;
    if (register === r.STATUS) return status();
    if (register === r.INFO) return fresh ? 0 : INFO_VALUE;
    if (register === r.CNFG_ECG) {
      return (get(r.CNFG_ECG) & ~(3 << r.DLPF_SHIFT)) | (lowPassOf(get) << r.DLPF_SHIFT);
    }
    if (register !== r.ECG_FIFO && register !== r.ECG_FIFO_BURST) return get(register);
    if (fifo.length === 0) return r.TAG_EMPTY << 3;
    fetched = true;
    if ((latched & r.EOVF) !== 0) return fifo[0] | (r.TAG_OVERFLOW << 3);
    return fifo[0] | (fifo.length === 1 ? r.TAG_END << 3 : 0);
  };

  /** A word is through (its 30th or 32nd clock, p. 38): what its reading clears is cleared. */
  const conclude = (register: number) => {
    if (register === r.STATUS) {
      const unlocked = now < lockedAt && enabled();
      latched &= r.EOVF | (unlocked ? r.PLLINT : 0) | ((get(r.MNGR_INT) & r.CLR_SAMP) !== 0 ? r.SAMP : 0);
    } else if (fetched) fifo.shift();
    update();
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
      now = at;
      powerUp();
    },
    advance(to) {
      while (nextAt() <= to) {
        now = nextAt();
        if (now >= sampleEndsAt) {
          endSample();
          update();
        } else convert();
      }
      now = Math.max(now, to);
    },
    select() {
      bytes = 0;
    },
    exchange(byte) {
      bytes++;
      if (bytes === 1) {
        command = byte;
        incoming = 0;
        return 0xff; // the data line is not driven yet
      }
      const register = command >> 1;
      const reading = (command & 1) === 1;
      const place = (bytes - 2) % 3;
      if (!reading) {
        incoming = (incoming << 8) | byte;
        if (bytes === 4) {
          fresh = false;
          setRegister(register, incoming & 0xffffff);
        }
        return 0xff;
      }
      if (bytes > 4 && register !== r.ECG_FIFO_BURST) return 0;
      if (place === 0) outgoing = fetch(register);
      if (place === 2) {
        conclude(register);
        fresh = false;
      }
      return (outgoing >> (16 - 8 * place)) & 0xff;
    },
    deselect() {
      bytes = 0;
    },
  };
  return emulator;
}

export const emulated = { model: r.MODEL, bus: "spi", create } satisfies EmulatedChip;
