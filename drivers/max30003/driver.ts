/**
 * MAX30003: single-lead ECG front end on SPI (Maxim, data sheet Rev 3). Page numbers: MAX30001G data sheet, whose ECG
 * channel, registers and FIFO are the same; what rests on one source or on none stands in README.md. Device side.
 */
import { type Core, createCore, type Op, type Step } from "../driver.ts";
import { createReading } from "./fifo.ts";
import { createIntervals } from "./intervals.ts";
import { createLeads } from "./leads.ts";
import { bring, type Max30003Setup, reset, wake } from "./opening.ts";
import * as r from "./registers.ts";

export type { Max30003Setup } from "./opening.ts";

/** Its driver. */
export const createDriver = (first: Max30003Setup): Core<Max30003Setup> => {
  let setup = first;
  const intervals = setup.timer > 0 ? createIntervals(setup.timer) : null;
  const reading = createReading(setup, intervals);
  const synch = setup.synch;
  if (setup.asleep > 0) reading.leads = createLeads(setup, reading, wake);

  const core = createCore(first, {
    open: () => {
      reading.open();
      if (reading.leads === null) return bring(setup.registers, 0, reading.start(setup.general, false));
      const resting = setup.registers.slice();
      resting[0] = [r.CNFG_GEN, setup.asleep];
      return bring(resting, r.LEADS_PAUSE, reading.leads.begin);
    },
    poll: () => reading.poll,
    reconfigure: (next: Max30003Setup) => {
      if (next.record !== setup.record) return null;
      let ops: Op[] = [];
      // Where it fails nobody knows what the chip has: the next poll finds out, and asks for an opening.
      let then: Step["next"] = (outcome) => {
        if (outcome.error !== null) reading.general = -1;
        return null;
      };
      // Fast recovery goes its way without a new record (p. 45).
      if (next.dynamic !== setup.dynamic) ops.push(r.write(r.MNGR_DYN, next.dynamic));
      if (next.general !== setup.general && !reading.waiting) {
        // A change of CNFG_GEN disturbs the record (p. 47): SYNCH begins a clean one. The next poll reads it back.
        ops = ops.concat([r.write(r.CNFG_GEN, next.general)], synch);
        then = reading.start(next.general, true);
      }
      if (reading.leads !== null) reading.leads.awake = next.general;
      core.configuration = setup = next;
      return { ops: ops, next: then };
    },
    resume: () => ({
      ops: (r.writeAll(setup.registers) as Op[]).concat(synch),
      next: reading.start(setup.general, true),
    }),
    close: () => ({
      ops: [r.write(r.CNFG_GEN, setup.stopped)],
      next: (stopped, frame) => {
        if (stopped.error !== null) return reset;
        reading.general = setup.stopped;
        // Behind it, a poll finds a chip that is not to be polled.
        return reading.drain(stopped, frame, setup.general);
      },
    }),
  });
  return core;
};
