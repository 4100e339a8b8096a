/** What a MAX30102 must show: who it is and that it takes its configuration; then its self-test. Device side. */
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY, type Frame, type Outcome, type Step } from "../driver.ts";
import * as reg from "./registers.ts";

/** How often RESET is looked at, 1 ms apart. */
const RESET_LOOKS = 8;

/** For the multi-LED registers: allowed values, and SpO2 mode does not use them (p21). */
const PATTERNS = [0x21, 0x12];
/** A temperature conversion takes 29 ms (p4, typical); then the end is looked for so often, every so many ms. */
const CONVERSION = 30;
const AGAIN = 5;
const LOOKS = 6;

export const hex = (byte: number): string => `0x${(byte + 256).toString(16).slice(1)}`;

const fail = (frame: Frame, code: number, message: string): null => {
  frame.faults.push({ code, message });
  return null;
};

/**
 * From any state to configured and shut down: identity (sets frame.identity), RESET, configuration, read back; then
 * MODE starts the conversion and `started` is asked with that outcome. `registers`: as `encode` makes them. `where`:
 * model and address, for messages. Faults: FAULT_IDENTITY, FAULT_CONFIGURATION; after one nothing converts.
 */
export const createOpening = (where: string, registers: number[], started: (outcome: Outcome) => null): Step => {
  let looks = 0;

  const onConfigure = (outcome: Outcome, frame: Frame): Step | null => {
    if (outcome.error !== null) return null;
    const written = [reg.A_FULL].concat(registers);
    for (let i = 0; i < written.length; i++) {
      const value = i === 0 ? outcome.replies[0][2] : outcome.replies[1][i - 1];
      if (value === written[i]) continue;
      const name = hex(i === 0 ? reg.INT_ENABLE_1 : reg.FIFO_CONFIG + i - 1);
      const message = `${where}: register ${name} reads ${hex(value)}, not ${hex(written[i])}; check the supply`;
      return fail(frame, FAULT_CONFIGURATION, message);
    }
    return { ops: [{ write: [reg.MODE_CONFIG, reg.MODE_SPO2] }], next: started };
  };

  const onReset = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    if ((reply[0] & reg.RESET) !== 0) {
      if (++looks < RESET_LOOKS) return resetting;
      return fail(frame, FAULT_CONFIGURATION, `${where}: MODE_CONFIG (0x09) keeps its RESET bit; check the supply`);
    }
    return {
      ops: [
        // The pointers can be written in SpO2 mode only (p13).
        { write: [reg.MODE_CONFIG, reg.SHDN | reg.MODE_SPO2] },
        { write: [reg.FIFO_CONFIG].concat(registers) },
        // Also where the line is not wired: the flag tells full from empty, and its loss shows a reset.
        { write: [reg.INT_ENABLE_1, reg.A_FULL, 0] },
        { write: [reg.FIFO_WR_PTR, 0, 0, 0] },
        { read: 7, at: reg.INT_STATUS_1 },
        { read: registers.length, at: reg.FIFO_CONFIG },
      ],
      next: onConfigure,
    };
  };
  const resetting: Step = { ops: [{ read: 1, at: reg.MODE_CONFIG }], pause: 1, next: onReset };

  const onIdentity = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    const part = hex(reply[1]);
    const good = reply[1] === reg.PART;
    frame.identity = { verdict: good ? "confirmed" : "refused", read: `PART_ID ${part}, REV_ID ${hex(reply[0])}` };
    if (good) return { ops: [{ write: [reg.MODE_CONFIG, reg.RESET] }], pause: 1, next: () => resetting };
    const advice = "check the part (0x11 is a MAX30100) and the address";
    return fail(frame, FAULT_IDENTITY, `${where}: PART_ID (0xff) reads ${part}, not 0x15; ${advice}`);
  };
  return { ops: [{ read: 2, at: reg.REV_ID }], next: onIdentity };
};

/**
 * Die temperature in Cel from TINT and TFRAC. The fraction is added also to a negative integer: 0x80 and 0x08 are
 * -127.5 (p22).
 */
export const dieTemperature = (integer: number, fraction: number): number =>
  ((integer << 24) >> 24) + (fraction & 15) / 16;

const measure = (frame: Frame, name: string, unit: string, value: number, minimum: number, maximum: number): void => {
  frame.measurements.push({ name, value, unit, minimum, maximum, pass: value >= minimum && value <= maximum });
};

/** Reads until TEMP_EN has cleared itself, at most `left` more times. */
const lookForTemperature = (where: string, left: number): Step => ({
  ops: [{ read: 3, at: reg.TEMP_INT }],
  pause: AGAIN,
  next: (outcome: Outcome, frame: Frame) => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    if ((reply[2] & reg.TEMP_EN) === 0) {
      // p4: the sensor's range; a board that works lies well within it.
      measure(frame, "die temperature", "Cel", dieTemperature(reply[0], reply[1]), -40, 85);
    } else if (left > 0) {
      return lookForTemperature(where, left - 1);
    } else {
      fail(frame, FAULT_DATA, `${where}: TEMP_CONFIG (0x21) keeps its TEMP_EN bit; check the supply`);
    }
    return null;
  },
});

/**
 * A step that writes and reads back two registers, then measures the die temperature, while the chip goes on
 * converting. Measurements: "register bits that differ", 0 when all is well, and "die temperature" in Cel, -40 to 85
 * (p4), absent where its conversion does not end (FAULT_DATA). `where`: model and address, for messages.
 */
export const createSelfTest = (where: string): Step => ({
  ops: [
    { write: [reg.SLOTS_1_2, PATTERNS[0], PATTERNS[1]] },
    { read: 2, at: reg.SLOTS_1_2 },
    { write: [reg.SLOTS_1_2, 0, 0] },
    { write: [reg.TEMP_CONFIG, reg.TEMP_EN] },
  ],
  pause: CONVERSION,
  next: (outcome: Outcome, frame: Frame) => {
    if (outcome.error !== null) return null;
    const reply = outcome.replies[0];
    const different = (reply[0] ^ PATTERNS[0]) | ((reply[1] ^ PATTERNS[1]) << 8);
    let count = 0;
    for (let bits = different; bits !== 0; bits &= bits - 1) count++;
    measure(frame, "register bits that differ", "1", count, 0, 0);
    return lookForTemperature(where, LOOKS);
  },
});
