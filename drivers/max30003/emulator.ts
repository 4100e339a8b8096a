/**
 * MAX30003 at register level: SPI words, FIFO with tags and overflow, interrupts, PLL, calibration source, lead-off and
 * lead-on, fast recovery, R-to-R detection. Pages: MAX30001G data sheet (same ECG channel). Not modelled: analog and
 * digital filters (so the code is the rounded voltage). What no source settles, and is assumed here: README.md.
 */
import {
  type EmulatedChip,
  type EmulatorOptions,
  type Input,
  type Signal,
  type SpiEmulator,
  setSignal,
} from "../emulator.ts";
import { convertVoltage, lowPassOf, rateOf } from "./emulator-analog.ts";
import { createLeadComparators, detectsLeadOn } from "./emulator-leads.ts";
import { createRecovery } from "./emulator-recovery.ts";
import { INFO_VALUE, inputs, REGISTERS } from "./emulator-registers.ts";
import { createRtorDetector } from "./emulator-rtor.ts";
import { createSpiFrame } from "./emulator-spi.ts";
import * as r from "./registers.ts";

/** Time until the PLL locks, us. Assumed. */
const LOCK_TIME = 10_000;
/** How often the lead-on comparator looks, us. Assumed. */
const LEAD_ON_TIME = 10_000;

/** INT2B beside INTB. */
export interface Max30003Emulator extends SpiEmulator {
  readonly interrupt2: 0 | 1;
}

function create(options: EmulatorOptions): Max30003Emulator {
  const oscillator = options.oscillator ?? 1;
  const signals: Record<string, Signal> = {};
  for (const name of Object.keys(inputs)) signals[name] = () => 0;
  const registers = new Map<number, number>();
  const fifo: number[] = [];
  let now = 0;
  let level: 0 | 1 = 1;
  /** The first command after power-up does not read INFO (p. 47). */
  let fresh = true;
  /** STATUS bits that are kept: EOVF, FSTINT, DCLOFFINT with LDOFF, LONINT, RRINT, SAMP, PLLINT. */
  let latched = 0;
  /** Those whose condition holds now: reading does not clear them. */
  let active = 0;
  let lockedAt = Number.POSITIVE_INFINITY;
  /** SYNCH was given: conversion k comes at startedAt + k periods. */
  let running = false;
  let startedAt = 0;
  let k = 0;
  let sampleEndsAt = Number.POSITIVE_INFINITY;
  let recovering = false;
  /** When the lead-on comparator looks next, us; STATUS was read since that mode began. */
  let looksAt = Number.POSITIVE_INFINITY;
  let armed = false;
  /** Conversion at which RRINT was set. */
  let eventAt = 0;
  /** A word of the FIFO is being read. */
  let fetched = false;

  const get = (register: number) => registers.get(register) ?? 0;
  const comparators = createLeadComparators(get);
  const recovery = createRecovery(get);
  const detector = createRtorDetector(get);
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

  /** Level of an interrupt pin: low while an enabled bit of STATUS is set, high impedance with type 00 (p. 43, 44). */
  const pin = (register: number): 0 | 1 => {
    const enable = get(register);
    return (enable & 3) !== 0 && (status() & enable & 0xffff00) !== 0 ? 0 : 1;
  };
  const update = () => {
    const next = pin(r.EN_INT);
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
    sampleEndsAt = Number.POSITIVE_INFINITY;
    active = 0;
    recovering = false;
    comparators.reset();
    recovery.reset();
    detector.reset();
  };

  const powerUp = () => {
    for (const [register, value] of REGISTERS) registers.set(register, value);
    fresh = true;
    latched = active = 0;
    lockedAt = Number.POSITIVE_INFINITY;
    running = armed = false;
    sampleEndsAt = looksAt = Number.POSITIVE_INFINITY;
    detector.reset();
    resetFifo();
    update();
  };

  /** A condition holds, or not any more: its STATUS bits stay until they are read. */
  const indicate = (bits: number, holds: boolean) => {
    latched |= holds ? bits : active & bits;
    active = holds ? active | bits : active & ~bits;
  };

  const isOff = (name: string, sinceStart: number) =>
    Math.max(signals.leadOff(now / 1e6, sinceStart), signals[name](now / 1e6, sinceStart)) >= 0.5;

  const watchLead = () => {
    const off = comparators.leadOff(now, isOff("leadOffPositive", k / rate()), isOff("leadOffNegative", k / rate()));
    indicate(r.DCLOFFINT | r.LDOFF, false);
    indicate(off, true);
  };

  /** Both leads on, while the channel is off (p. 23, 42). */
  const watchLeadOn = () => {
    const on = detectsLeadOn(get) && !isOff("leadOffPositive", 0) && !isOff("leadOffNegative", 0);
    indicate(r.LONINT, armed && on);
  };

  const watchRecovery = (code: number) => {
    const on = recovery.follow(code);
    if ((get(r.MNGR_INT) & 0x40) === 0) indicate(r.FSTINT, on);
    else if (on && !recovering) latched |= r.FSTINT; // CLR_FAST: told once
    recovering = on;
    return on;
  };

  const watchRtor = (code: number) => {
    // Self-clearing, after one period (p. 44).
    if (field(r.MNGR_INT, 4, 3) === 2 && k > eventAt) latched &= ~r.RRINT;
    if ((get(r.CNFG_RTOR1) & r.EN_RTOR) === 0 || !detector.follow(code, k / rate())) return;
    latched |= r.RRINT;
    eventAt = k;
    if (detector.interval) emulator.onConvert?.("rrInterval", detector.value, now);
  };

  const convert = () => {
    const code = convertVoltage(get, (sinceStart) => signals.ecg(now / 1e6, sinceStart), k / rate(), options.noise);
    emulator.onConvert?.("ecg", code, now);
    watchLead();
    const tag = watchRecovery(code) ? r.TAG_FAST : 0;
    if (fifo.length < r.FIFO_WORDS) fifo.push(((code & 0x3ffff) << 6) | (tag << 3));
    else latched |= r.EOVF;
    watchRtor(code);
    if (k % [1, 2, 4, 16][get(r.MNGR_INT) & 3] === 0) {
      latched |= r.SAMP;
      if ((get(r.MNGR_INT) & r.CLR_SAMP) !== 0) sampleEndsAt = now + period() / 4;
    }
    k++;
    update();
  };

  /** The end of SAMP is an event only for the pins. */
  const nextAt = () => {
    const pins = ((get(r.EN_INT) | get(r.EN_INT2)) & r.SAMP) !== 0;
    return Math.min(conversionAt(), looksAt, pins ? sampleEndsAt : Number.POSITIVE_INFINITY);
  };

  /** CNFG_GEN was written, and was `before`. */
  const changeGeneral = (before: number) => {
    // Without a channel there is no bias (p. 48).
    if (!enabled()) registers.set(r.CNFG_GEN, get(r.CNFG_GEN) & ~0x30);
    if (((before ^ get(r.CNFG_GEN)) & (r.EN_ECG | r.FMSTR)) !== 0) {
      // The PLL runs with the channel, and must lock again when its frequency changes.
      lockedAt = enabled() ? now + LOCK_TIME : Number.POSITIVE_INFINITY;
      if (enabled()) latched |= r.PLLINT;
      else latched &= ~r.PLLINT;
      running = running && enabled();
      if (running) start();
    }
    if (!enabled()) indicate(r.DCLOFFINT | r.LDOFF | r.FSTINT, false);
    const detects = detectsLeadOn(get);
    if (!detects) {
      armed = false;
      looksAt = Number.POSITIVE_INFINITY;
      indicate(r.LONINT, false);
    } else if (looksAt === Number.POSITIVE_INFINITY) {
      latched |= r.LONINT; // the mode has begun
      looksAt = now + LEAD_ON_TIME;
    }
  };

  const write = (register: number, value: number) => {
    fresh = false;
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
      if (register === r.CNFG_GEN) changeGeneral(before);
      else if (register === r.CNFG_RTOR1 && (changed & r.EN_RTOR) !== 0) detector.reset();
      else if (register === r.CNFG_ECG && running && (changed & (3 << r.RATE_SHIFT)) !== 0) start();
    }
    update();
  };

  /** The 24 bits that a read delivers; FIFO words are looked at here and removed when they are through. */
  const fetch = (register: number): number => {
    fetched = false;
    if (register === r.STATUS) {
      watchLeadOn();
      return status();
    }
    if (register === r.RTOR) return detector.value << r.RTOR_SHIFT;
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
      const kept =
        r.EOVF |
        (unlocked ? r.PLLINT : 0) |
        ((get(r.MNGR_INT) & r.CLR_SAMP) !== 0 ? r.SAMP : 0) |
        (field(r.MNGR_INT, 4, 3) === 0 ? 0 : r.RRINT);
      latched &= kept;
      armed = detectsLeadOn(get);
    } else if (register === r.RTOR) {
      if (field(r.MNGR_INT, 4, 3) === 1) latched &= ~r.RRINT;
      detector.read();
    } else if (fetched) fifo.shift();
    fresh = false;
    update();
  };

  const emulator: Max30003Emulator = {
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
    get interrupt2() {
      return pin(r.EN_INT2);
    },
    set: (name, value) => setSignal(r.MODEL, signals, name, value),
    powerOn(at) {
      now = at;
      powerUp();
    },
    advance(to) {
      while (nextAt() <= to) {
        now = nextAt();
        if (now >= looksAt) {
          looksAt = now + LEAD_ON_TIME;
          watchLeadOn();
        } else if (now >= sampleEndsAt) endSample();
        else convert();
        update();
      }
      now = Math.max(now, to);
    },
    ...createSpiFrame({ fetch, conclude, write }),
  };
  return emulator;
}

export const emulated = { model: r.MODEL, bus: "spi", create } satisfies EmulatedChip;
