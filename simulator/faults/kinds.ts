/** What each kind of fault does, and what it needs: a chip of a sort, a serial line, a broker. */

import type { Executor } from "../../boards/board.ts";
import type { BusFault, SimulatedBoard } from "../../boards/simulated.ts";
import type { VirtualClock } from "../../boards/virtual-clock.ts";
import type { Random } from "../random.ts";
import type { FaultyChip } from "./chip.ts";
import { electrodeInputs, measuringInputs } from "./inputs.ts";
import type { FaultyLink } from "./link.ts";
import type { Fault, FaultKind } from "./plan.ts";
import type { Span } from "./schedule.ts";

/** What a board has that can fail. */
export interface Parts {
  /** Its index in the ward. */
  readonly index: number;
  readonly chips: readonly Pick<FaultyChip, "model" | "bus" | "inputs">[];
  /** It talks over a serial line; through a broker. */
  readonly line: boolean;
  readonly broker: boolean;
}

/** The first bytes of the identity register of another chip: a MAX30100, a MAX30102, an LM75, a MAX30003 that is none. */
const OTHERS: Readonly<Record<string, { readonly register: number; readonly bytes: readonly number[] }>> = {
  max30101: { register: 0xff, bytes: [0x11] },
  max30102: { register: 0xff, bytes: [0x11] },
  max86150: { register: 0xff, bytes: [0x15] },
  tmp117: { register: 0x0f, bytes: [0x00, 0x75] },
  max30003: { register: 0x0f, bytes: [0x20] },
};
/** The byte of an answer that is its packet error code. */
const PEC: Readonly<Record<string, number>> = { mlx90614: 2 };

const nameOf = ({ model }: { readonly model: string }) => model.toLowerCase();

/** Why a chip cannot have this fault, as the end of a sentence; null: it can. */
function unfit(fault: Fault, chip: Parts["chips"][number]): string | null {
  const units = measuringInputs(chip.inputs).map((name) => chip.inputs[name]!.unit);
  const name = nameOf(chip);
  switch (fault.kind) {
    case "nack":
    case "stuck-sda":
    case "slow-clock":
      return chip.bus === "i2c" ? null : "is not on I2C";
    case "fifo-overflow":
      return chip.bus === "analog" ? "has no FIFO" : null;
    case "wrong-id":
      return name in OTHERS ? null : "has no identity that is known here";
    case "bad-pec":
      return name in PEC ? null : "sends no packet error code";
    case "lead-off":
      return electrodeInputs(chip.inputs, fault.electrode).length > 0 ? null : "does not tell that of its electrodes";
    case "saturation":
      return units.some((unit) => unit === "V" || unit === "nA/mA") ? null : "does not saturate within its range";
    case "swapped-leds":
    case "ambient-light":
    case "motion":
    case "finger-off":
      return units.includes("nA/mA") ? null : "measures no light";
    case "noise-burst":
    case "stuck-value":
      return units.length > 0 ? null : "measures nothing";
    default:
      return null;
  }
}

/** Why this board cannot have this fault, and what to do; null: it can. */
export function unsuited(fault: Fault, { index, chips, line, broker }: Parts): string | null {
  if (fault.board !== undefined && fault.board !== index) return `it is about board ${fault.board}, not ${index}`;
  if (fault.kind === "serial-garbage" && !line) return `board ${index} has no serial line; choose another board`;
  if (fault.kind === "broker-gone" && !broker) return `board ${index} needs no broker; choose another board`;
  if (!("chip" in fault)) return null;
  const chip = chips.find((one) => nameOf(one) === fault.chip);
  if (chip === undefined) {
    return `board ${index} has no chip ${JSON.stringify(fault.chip)}; it has ${chips.map(nameOf).join(", ")}`;
  }
  const reason = unfit(fault, chip);
  return reason === null ? null : `a ${chip.model} ${reason}; choose another chip`;
}

/** What a fault works with; a chip kind has its chip. */
export interface Tools {
  readonly clock: VirtualClock;
  readonly board: SimulatedBoard;
  readonly chip: FaultyChip | null;
  readonly link: FaultyLink | null;
  readonly traffic: Traffic;
  readonly random: Random;
}

/** What passes between the host and its chips. */
export interface Traffic {
  readonly rules: Set<BusFault>;
  /** How many hold up this chip's operations. */
  hold(model: string): void;
  release(model: string): void;
  through<E extends Executor>(executor: E): E;
}

/** At its beginning and at its end, at their times; what acts on inputs does so by itself (inputs.ts). */
export interface Acts {
  begin?(): void;
  end?(): void;
}

type Kind<K extends FaultKind> = (fault: Extract<Fault, { kind: K }>, span: Span, tools: Tools) => Acts;

/** Between two pieces of garbage on a line, us. */
const GARBLE_EVERY = 100_000;

const nothing = (): Acts => ({});
const unpowered = (_fault: Fault, _span: Span, { chip, clock }: Tools): Acts => ({
  begin: () => chip!.power(false, clock.now),
  end: () => chip!.power(true, clock.now),
});

/** Calls now and again every `interval` us until what it returns is called. */
function repeat(clock: VirtualClock, interval: number, act: () => void): () => void {
  let cancel = () => {};
  const again = () => {
    act();
    cancel = clock.at(clock.now + interval, again);
  };
  again();
  return () => cancel();
}

const acts: { readonly [K in FaultKind]: Kind<K> } = {
  nack(fault, _span, { chip, traffic, random }) {
    const rule: BusFault = (target) => (target.model === chip!.model && random.uniform() < fault.share ? "nack" : null);
    return { begin: () => traffic.rules.add(rule), end: () => traffic.rules.delete(rule) };
  },
  "stuck-sda": (fault, _span, { chip, board }) => ({
    begin: () => board.holdData(chip!.wires!, fault.clocks === "never" ? Number.POSITIVE_INFINITY : fault.clocks),
    end: () => board.holdData(chip!.wires!, 0),
  }),
  "slow-clock": (fault, _span, { chip, board }) => ({
    begin: () => board.slowClock(chip!.wires!, fault.factor),
    end: () => board.slowClock(chip!.wires!, 1),
  }),
  "wrong-id"(_fault, _span, { chip, clock }) {
    const other = OTHERS[nameOf(chip!)]!;
    const spoil = (register: number, place: number, byte: number) => {
      if (register === other.register) return other.bytes[place] ?? byte;
      // Read behind the register before it, as REV_ID is.
      return register + 1 === other.register && place === 1 ? other.bytes[0]! : byte;
    };
    const swap = (change: () => void) => {
      chip!.power(false, clock.now);
      change();
      chip!.power(true, clock.now);
    };
    return {
      begin: () => swap(() => chip!.spoils.add(spoil)),
      end: () => swap(() => chip!.spoils.delete(spoil)),
    };
  },
  "fifo-overflow": (_fault, _span, { chip, traffic }) => ({
    begin: () => traffic.hold(chip!.model),
    end: () => traffic.release(chip!.model),
  }),
  "host-stall": (fault, _span, { board }) => ({ begin: () => board.stall(fault.for * 1000) }),
  "brown-out": unpowered,
  unplugged: unpowered,
  "bad-pec"(fault, _span, { chip, random }) {
    const place = PEC[nameOf(chip!)]!;
    const spoil = (_register: number, at: number, byte: number) =>
      at === place && random.uniform() < fault.share ? byte ^ (1 + Math.floor(random.uniform() * 255)) : byte;
    return { begin: () => chip!.spoils.add(spoil), end: () => chip!.spoils.delete(spoil) };
  },
  "flash-pause"(fault, _span, { clock, board }) {
    let stop = () => {};
    return {
      begin() {
        stop = repeat(clock, fault.interval * 1000, () => board.stall(fault.pause));
      },
      end: () => stop(),
    };
  },
  "serial-garbage"(fault, _span, { clock, link, random }) {
    const damage = () => (random.uniform() < fault.share ? random : null);
    const count = Math.round((fault.rate * GARBLE_EVERY) / 1e6);
    let stop = () => {};
    return {
      begin() {
        link!.damage = damage;
        if (count > 0) stop = repeat(clock, GARBLE_EVERY, () => link!.garble(count, random));
      },
      end() {
        stop();
        if (link!.damage === damage) link!.damage = null;
      },
    };
  },
  "broker-gone": (_fault, _span, { link }) => ({ begin: () => link!.cut(), end: () => link!.restore() }),
  "swapped-leds": nothing,
  "lead-off": nothing,
  saturation: nothing,
  "ambient-light": nothing,
  "stuck-value": nothing,
  "noise-burst": nothing,
  motion: nothing,
  "finger-off": nothing,
  // The chip was made with it.
  oscillator: nothing,
};

/** What an occurrence of a fault does. */
export const actsOf = (fault: Fault, span: Span, tools: Tools): Acts =>
  (acts[fault.kind] as (fault: Fault, span: Span, tools: Tools) => Acts)(fault, span, tools);
