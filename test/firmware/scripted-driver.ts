/** A chip without a bus, which does as a test says, for what a reader makes of it. */
import { createFrame, type Driver, type Frame, type Step } from "../../drivers/driver.ts";

/** A step without operations, after which `then` fills the frame. */
export const scriptedStep = (then: (frame: Frame) => void): Step => ({
  ops: [],
  next: (_outcome, frame) => {
    then(frame);
    return null;
  },
});

/** One channel of four samples, no data-ready line, nothing to reconfigure. `pollEvery`: ms. */
export const scriptedDriver = (
  pollEvery: number,
  steps: Pick<Driver, "open" | "poll" | "selfTest" | "close">,
): Driver => ({
  model: "TEST",
  bus: "i2c",
  maxHz: 1,
  configuration: null,
  dataReady: null,
  pollEvery,
  channels: () => [],
  createFrame: () => createFrame([4]),
  reconfigure: () => null,
  ...steps,
});
