/**
 * The fault catalogue: what goes wrong with sensor boards in the field, put into effect on a simulated one from a plan and a
 * seed, with the truth about it. It sits below the drivers and beside the link: nothing above knows that it is simulated.
 */
import type { Board, I2cOptions } from "../boards/board.ts";
import type { SimulatedBoard } from "../boards/simulated.ts";
import type { VirtualClock } from "../boards/virtual-clock.ts";
import type { EmulatedChip, Emulator, EmulatorOptions } from "../drivers/emulator.ts";
import type { Link } from "../firmware/link.ts";
import { createFaultyChip, type FaultyChip } from "./faults/chip.ts";
import { type Disturbance, disturbanceOf, type Light } from "./faults/inputs.ts";
import { type Acts, actsOf, type Parts, unsuited } from "./faults/kinds.ts";
import { createFaultyLink, type FaultyLink, type RawLine } from "./faults/link.ts";
import { type Fault, type FaultEntry, type FaultKind, type FaultPlan, planFaults } from "./faults/plan.ts";
import { createSchedule, type Span } from "./faults/schedule.ts";
import { createTraffic } from "./faults/traffic.ts";
import { createRandom, type Random } from "./random.ts";

export { type Parts, unsuited } from "./faults/kinds.ts";
export type { RawLine } from "./faults/link.ts";
export {
  type Fault,
  type FaultEntry,
  type FaultKind,
  type FaultPlan,
  faultKinds,
  faultPlan,
  planFaults,
} from "./faults/plan.ts";

/** The truth: a fault began, or ended. */
export interface FaultEvent {
  readonly kind: FaultKind;
  /** Index of the board. */
  readonly board: number;
  /** Model in small letters; null: it is about no chip. */
  readonly chip: string | null;
  readonly state: "began" | "ended";
  /** s of the world's clock. */
  readonly at: number;
}

export interface FaultOptions {
  readonly plan: FaultPlan;
  readonly clock: VirtualClock;
  readonly board: SimulatedBoard;
  /** Of the board in its ward. */
  readonly index: number;
  readonly seed: number | string;
  /** Of the finger in the oximeter; absent: 2 percent, and 2 nA per mA without a finger. */
  readonly light?: Partial<Light>;
  /** The far end of its serial line; absent: it has none. */
  readonly line?: RawLine;
  /** It talks through a broker. */
  readonly broker?: boolean;
  readonly onFault?: (event: FaultEvent) => void;
}

/** The faults of one board. Chips and the link are made through it, firmware is given its board; then it is started. */
export interface Faults {
  /** All that began and ended so far. */
  readonly truth: readonly FaultEvent[];
  /** The link is down by a fault. */
  readonly isCut: boolean;
  /** Instead of `emulated.create(options)`: a chip that can fail. `wires`: of its bus, which a chip on I2C needs. */
  create(emulated: EmulatedChip, options: EmulatorOptions, wires?: I2cOptions): Emulator;
  /** What the firmware is given in the board's place: there a host can be too busy to read a chip. */
  readonly board: Board;
  link(link: Link): Link;
  /** Was this message damaged on its way when it was last sent? */
  isLost(message: Uint8Array): boolean;
  /** The plan begins. Throws Error where it names this board and something that the board does not have. */
  start(): void;
  /** One more, beside the plan, once it has begun; where it says no time, now. Throws Error where it does not suit the board. */
  add(entry: FaultEntry): void;
  /** What lasts ends now, and nothing more begins. */
  stop(): void;
}

const LIGHT: Light = { perfusionIndex: 2, open: 2 };
/** A chip may convert a little ahead of the clock, and has to know before: its inputs are told so long before, us. */
const AHEAD = 5e6;

/** The faults of one board, from its plan and the seed alone: the same again, to the last bit. */
export function createFaults(options: FaultOptions): Faults {
  const { plan, clock, board, index, onFault } = options;
  const random = createRandom(`${options.seed} faults`).fork(`board ${index}`);
  const light = { ...LIGHT, ...options.light };
  const traffic = createTraffic(board);
  const chips: FaultyChip[] = [];
  const truth: FaultEvent[] = [];
  const endings = new Set<() => void>();
  let link: FaultyLink | null = null;

  const tell = (fault: Fault, state: FaultEvent["state"]) => {
    const chip = "chip" in fault ? fault.chip : null;
    const event: FaultEvent = { kind: fault.kind, board: index, chip, state, at: clock.now / 1e6 };
    truth.push(event);
    onFault?.(event);
  };
  /** Now, where the time has come: the board may begin before the clock moves. */
  const at = (time: number, callback: () => void) => {
    if (time <= clock.now) callback();
    else if (time < Number.POSITIVE_INFINITY) return clock.at(time, callback);
    return () => {};
  };

  const occur = (fault: Fault, span: Span, own: Random, after: () => void) => {
    type Part = { chip: FaultyChip | null; disturbance: Disturbance | null; acts: Acts };
    let all: Part[] = [];
    const prepare = () => {
      const on = "chip" in fault ? chips.filter(({ model }) => model.toLowerCase() === fault.chip) : [null];
      all = on.map((chip, place) => {
        const drawn = own.fork(`${span.from} ${place}`);
        const disturbance = chip === null ? null : disturbanceOf(fault, span, chip.inputs, light, drawn);
        if (disturbance !== null) chip!.disturbed.disturbances.push(disturbance);
        return { chip, disturbance, acts: actsOf(fault, span, { clock, board, chip, link, traffic, random: drawn }) };
      });
    };
    const leave = () => {
      endings.delete(abandon);
      for (const { chip, disturbance } of all) {
        if (disturbance !== null)
          chip!.disturbed.disturbances.splice(chip!.disturbed.disturbances.indexOf(disturbance), 1);
      }
    };
    let began = false;
    const end = () => {
      for (const { acts } of all) acts.end?.();
      leave();
      tell(fault, "ended");
    };
    let cancelPreparation = () => {};
    let cancelBegin = () => {};
    let cancelEnd = () => {};
    const begin = () => {
      began = true;
      tell(fault, "began");
      for (const { acts } of all) acts.begin?.();
      cancelEnd = at(span.to, () => {
        end();
        after();
      });
    };
    const abandon = () => {
      cancelPreparation();
      cancelBegin();
      cancelEnd();
      span.to = Math.min(span.to, clock.now);
      if (began) end();
      else leave();
    };
    endings.add(abandon);
    // A day's plan is long: what is far away costs no chip anything at each sample.
    cancelPreparation = at(span.from - AHEAD, () => {
      prepare();
      cancelBegin = at(span.from, begin);
    });
  };

  let place = 0;
  const begin = (fault: Fault) => {
    const label = `${place++} ${fault.kind}`;
    const parts: Parts = {
      index,
      chips,
      line: link !== null && options.line !== undefined,
      broker: link !== null && options.broker === true,
    };
    const reason = unsuited(fault, parts);
    if (reason !== null) {
      if (fault.board === index) throw new Error(`faults: ${label.replace(" ", " (")}): ${reason}`);
      return;
    }
    const own = random.fork(label);
    const schedule = createSchedule(fault, own.fork("when"));
    const next = (after: number) => {
      const span = schedule(after);
      if (span !== null) occur(fault, span, own, () => next(clock.now));
    };
    next(clock.now);
  };

  return {
    truth,
    get isCut() {
      return link?.isCut ?? false;
    },
    create(emulated, own, wires) {
      const model = emulated.model.toLowerCase();
      let faster = 1;
      for (const fault of plan) {
        if (fault.kind !== "oscillator" || fault.chip !== model || (fault.board ?? index) !== index) continue;
        faster *= 1 + fault.percent / 100;
      }
      const chip = createFaultyChip(emulated, own, wires ?? null, faster);
      chips.push(chip);
      return chip.emulator;
    },
    board: {
      ...board,
      i2c: (wires) => traffic.through(board.i2c(wires)),
      spi: (wires) => traffic.through(board.spi(wires)),
      analog: (wires) => traffic.through(board.analog(wires)),
    },
    link(inner) {
      link = createFaultyLink(inner, options.line ?? null);
      return link.link;
    },
    isLost: (message) => link?.isLost(message) ?? false,
    start() {
      for (const fault of plan) begin(fault);
    },
    add(entry) {
      if (entry.kind === "oscillator")
        throw new Error(
          "faults: an oscillator is off from the start: put it into the plan, or into the chip's options",
        );
      const timed = ["at", "every", "probability"].some((key) => key in entry);
      const [fault] = planFaults([timed ? entry : { at: clock.now / 1e6, ...entry }]);
      begin({ board: index, ...fault! });
    },
    stop() {
      for (const abandon of [...endings]) abandon();
    },
  };
}
