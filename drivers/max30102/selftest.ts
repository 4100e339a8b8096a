/** What a MAX30102 or MAX30101 must show: who it is and that it takes its configuration; its self-test. Device side. */
import {
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_IDENTITY,
  type Frame,
  measure,
  type Op,
  type Outcome,
  type Step,
} from "../driver.ts";
import * as reg from "./registers.ts";
import { createFail, hex, LED3, MODE, REGISTERS, SLOTS, THRESHOLD } from "./settings.ts";
import { KEEPS, sixteenths } from "./thermometer.ts";

/** How often RESET is looked at, 1 ms apart. */
const RESET_LOOKS = 8;

/** For the multi-LED registers: allowed values, and SpO2 mode does not use them (p21). */
const PATTERNS = [0x21, 0x12];
/** A temperature conversion takes 29 ms (p4, typical); then the end is looked for so often, every so many ms. */
const CONVERSION = 40;
const AGAIN = 5;
const LOOKS = 6;

/** Address of a register by its place in what `encode` returns. */
const address = (place: number): number =>
  place < 2 ? reg.INT_ENABLE_1 + place : place < THRESHOLD ? reg.FIFO_CONFIG + place - 2 : reg.PROX_INT_THRESH;

/**
 * From any state to configured and shut down: identity (sets frame.identity), RESET, configuration, read back; then
 * MODE starts the conversion and `started` is asked with that outcome. `registers`: as `encode` makes them. `where`:
 * model and address, for messages. `slots`: the LEDs; a chip cannot be asked whether it has a green one. Faults:
 * FAULT_IDENTITY, FAULT_CONFIGURATION; after one nothing converts.
 */
export const createOpening = (
  where: string,
  registers: number[],
  slots: readonly string[],
  started: (outcome: Outcome) => null,
): Step => {
  const near = (registers[0] & reg.PROX_INT) !== 0;
  /** In SpO2 mode the registers behind LED2_PA keep their power-on state. */
  const end = near ? REGISTERS : registers[SLOTS] > 0 ? THRESHOLD : LED3;
  const fail = createFail(where);
  let looks = 0;

  const onConfigure = (outcome: Outcome, frame: Frame): Step | null => {
    if (outcome.error !== null) return null;
    const replies = outcome.replies;
    for (let i = 0; i < end; i++) {
      const reply = replies[i < 2 ? 0 : i < LED3 ? 1 : i < THRESHOLD ? 2 : 3];
      const value = reply[i < 2 ? i + 2 : i < LED3 ? i - 2 : i < THRESHOLD ? i - LED3 : 0];
      if (value === registers[i]) continue;
      const advice = i === THRESHOLD ? "this revision has no proximity function" : "check the supply";
      const what = `register ${hex(address(i))} reads ${hex(value)}, not ${hex(registers[i])}`;
      return fail(frame, FAULT_CONFIGURATION, `${what}; ${advice}`);
    }
    return { ops: [{ write: [reg.MODE_CONFIG, registers[MODE] & 7] }], next: started };
  };

  const onReset = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    if ((reply[0] & reg.RESET) !== 0) {
      if (++looks < RESET_LOOKS) return resetting;
      return fail(frame, FAULT_CONFIGURATION, "MODE_CONFIG (0x09) keeps its RESET bit; check the supply");
    }
    const ops: Op[] = [
      // The pointers can be written in SpO2 and multi-LED mode only (p13).
      { write: [reg.MODE_CONFIG, registers[MODE]] },
      { write: [reg.FIFO_CONFIG].concat(registers.slice(2, end === LED3 ? LED3 : THRESHOLD)) },
      // Also where the line is not wired: the flag tells full from empty, and its loss shows a reset.
      { write: [reg.INT_ENABLE_1, registers[0], registers[1]] },
      { write: [reg.FIFO_WR_PTR, 0, 0, 0] },
    ];
    if (near) ops.push({ write: [reg.PROX_INT_THRESH, registers[THRESHOLD]] });
    ops.push({ read: 7, at: reg.INT_STATUS_1 }, { read: 6, at: reg.FIFO_CONFIG });
    if (end > LED3) ops.push({ read: 5, at: reg.LED3_PA });
    if (near) ops.push({ read: 1, at: reg.PROX_INT_THRESH });
    return { ops, next: onConfigure };
  };
  const resetting: Step = { ops: [{ read: 1, at: reg.MODE_CONFIG }], pause: 1, next: onReset };

  const onIdentity = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    const part = hex(reply[1]);
    const read = `PART_ID ${part}, REV_ID ${hex(reply[0])}`;
    if (reply[1] === reg.PART) {
      frame.identity =
        slots.indexOf("green") >= 0
          ? { verdict: "plausible", read: `${read}: MAX30101, MAX30102 or MAX30105` }
          : { verdict: "confirmed", read };
      return { ops: [{ write: [reg.MODE_CONFIG, reg.RESET] }], pause: 1, next: () => resetting };
    }
    frame.identity = { verdict: "refused", read };
    const advice = "check the part (0x11 is a MAX30100) and the address";
    return fail(frame, FAULT_IDENTITY, `PART_ID (0xff) reads ${part}, not 0x15; ${advice}`);
  };
  return { ops: [{ read: 2, at: reg.REV_ID }], next: onIdentity };
};

/**
 * Die temperature in Cel from TINT and TFRAC. The fraction is added also to a negative integer: 0x80 and 0x08 are
 * -127.5 (p22).
 */
export const dieTemperature = (integer: number, fraction: number): number => sixteenths(integer, fraction) / 16;

/** Reads until TEMP_EN has cleared itself, at most `left` more times. */
const lookForTemperature = (where: string, left: number): Step => ({
  ops: [{ read: 3, at: reg.TEMP_INT }],
  pause: AGAIN,
  next: (outcome: Outcome, frame: Frame) => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    if ((reply[2] & reg.TEMP_EN) === 0) {
      // p4: the sensor's range; a board that works lies well within it.
      measure(frame, "die temperature", dieTemperature(reply[0], reply[1]), "Cel", -40, 85);
    } else if (left > 0) {
      return lookForTemperature(where, left - 1);
    } else {
      createFail(where)(frame, FAULT_DATA, KEEPS);
    }
    return null;
  },
});

/**
 * A step that compares the two multi-LED registers with what is in them (in SpO2 mode, with two patterns that it writes
 * first), then measures the die temperature, while the chip goes on converting. `registers`: as `encode` makes them.
 * Measurements: "register bits that differ", 0 when all is well, and "die temperature" in Cel, -40 to 85 (p4), absent
 * where its conversion does not end (FAULT_DATA). `where`: model and address, for messages.
 */
export const createSelfTest = (where: string, registers: readonly number[]): Step => {
  const multi = (registers[MODE] & 7) === reg.MODE_MULTI_LED;
  const expected = multi ? registers.slice(SLOTS, THRESHOLD) : PATTERNS;
  const look = { read: 2, at: reg.SLOTS_1_2 };
  const start = { write: [reg.TEMP_CONFIG, reg.TEMP_EN] };
  return {
    ops: multi
      ? [look, start]
      : [{ write: [reg.SLOTS_1_2, PATTERNS[0], PATTERNS[1]] }, look, { write: [reg.SLOTS_1_2, 0, 0] }, start],
    pause: CONVERSION,
    next: (outcome: Outcome, frame: Frame) => {
      if (outcome.error !== null) return null;
      const reply = outcome.replies[0];
      const different = (reply[0] ^ expected[0]) | ((reply[1] ^ expected[1]) << 8);
      let count = 0;
      for (let bits = different; bits !== 0; bits &= bits - 1) count++;
      measure(frame, "register bits that differ", count, "1", 0, 0);
      return lookForTemperature(where, LOOKS);
    },
  };
};

/** The end of a `close()`: reset and lowest power. */
export const down: Step = {
  ops: [{ write: [reg.MODE_CONFIG, reg.RESET] }],
  pause: 1,
  next: () => ({ ops: [{ write: [reg.MODE_CONFIG, reg.SHDN] }] }),
};

/** What a chip does that is not open: nothing, and says so. */
export const createUnopened = (where: string): Step => ({
  ops: [],
  next: (_, frame) => createFail(where)(frame, FAULT_CONFIGURATION, "not open; open it first"),
});

/** Every channel that this frame has nothing of has lost nobody knows how much. */
export const loseAll = (frame: Frame): void => {
  for (let i = 0; i < frame.channels.length; i++) if (frame.channels[i].count === 0) frame.channels[i].lost = -1;
};
