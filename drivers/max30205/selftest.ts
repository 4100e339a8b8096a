/** A MAX30205 by its own means: limits that keep their bits, a conversion that begins and ends in time. Device side. */
import { FAULT_DATA, measure, type Step } from "../driver.ts";
import { ask, convert, fault, type Max30205Core, type Max30205Setup } from "./opening.ts";
import * as r from "./registers.ts";

/** The first look at a conversion comes after, the next ones every so many ms, at most so often. */
const FIRST_LOOK = 30;
const LOOK = 4;
const LOOKS = 7;

/**
 * The limits have kept their bits ("registers": bits that were lost, 0); a one-shot begins, and ends in time
 * ("conversion", ms; a look comes every 4); its value is within what the chip stands (-10 to 50 Cel, p. 2). Then `end`.
 */
const oneShot = (setup: Max30205Setup, end: Step): Step => {
  let from = 0;
  let looks = 0;
  const look = ask(
    [r.READ_ALL],
    (outcome, frame) => {
      const reply = outcome.replies[0];
      looks++;
      if ((reply[2] & r.ONE_SHOT) !== 0) {
        if (looks < LOOKS) return look;
        fault(frame, FAULT_DATA, `no conversion within ${FIRST_LOOK + (LOOKS - 1) * LOOK} ms; check the supply`);
        return end;
      }
      const value = (r.signed(r.unsigned(reply, 0)) + setup.channels[0].offset) / r.PER_DEGREE;
      const time = Math.round((outcome.began - from) / 1000);
      measure(frame, "conversion", time, "ms", r.SHORTEST / 1000, r.LONGEST / 1000 + 2 * LOOK);
      measure(frame, "temperature", value, "Cel", -10, 50);
      return end;
    },
    LOOK,
  );
  return convert(setup.register, FIRST_LOOK, (outcome, frame) => {
    from = outcome.began;
    measure(frame, "registers", 0, "1", 0, 0);
    if ((outcome.replies[0][2] & r.ONE_SHOT) !== 0) return look;
    fault(frame, FAULT_DATA, "a one-shot does not begin; check the supply");
    return end;
  });
};

export const selfTest = (driver: Max30205Core): Step => driver.resume((end) => oneShot(driver.configuration, end));
