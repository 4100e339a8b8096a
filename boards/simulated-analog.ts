/** The simulated board's converter: an analog chip's voltage sampled by a timer that no stall of the host stops. */
import { ANALOG_BUFFER, type Converter, type Outcome, type Sampled } from "../drivers/driver.ts";
import type { AnalogEmulator } from "../drivers/emulator.ts";
import type { AnalogExecutor, Pin } from "./board.ts";
import type { BusHost } from "./simulated-buses.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface AnalogInput {
  readonly chip: AnalogEmulator;
  /** Pins that its levels are wired to, in the order of its bits. */
  readonly inputs: readonly Pin[];
  readonly converter: Converter;
}

/** An executor for one analog chip; `pins` are those that the host reads, in the order of the outcome's bits. */
export function createAnalog(
  host: BusHost,
  clock: VirtualClock,
  { chip, inputs, converter }: AnalogInput,
  pins: readonly Pin[],
): AnalogExecutor {
  const full = 2 ** converter.bits;
  const buffers = [new Int32Array(ANALOG_BUFFER), new Int32Array(ANALOG_BUFFER)];
  const bits = pins.map((pin) => {
    const bit = inputs.indexOf(pin);
    if (bit < 0)
      throw new Error(`simulated board: pin ${pin} is wired to nothing; the chip's are ${inputs.join(", ")}`);
    return bit;
  });
  let filled = 0;
  let firstAt = 0;
  let seen = 0;
  /** Before the buffer's first sample, and behind its last one, for want of room. */
  let lost = 0;
  let lostBehind = 0;
  let period = 0;
  let startedAt = 0;
  let k = 0;
  let cancel = () => {};

  const levels = () => bits.reduce((sum, bit, i) => sum | (((chip.levels >> bit) & 1) << i), 0);
  const convert = () => {
    const { now } = clock;
    chip.advance(now);
    const code = Math.max(0, Math.min(full - 1, Math.floor((chip.voltage() / converter.reference) * full)));
    chip.onConvert?.(chip.output, code, now);
    seen |= levels();
    if (filled === ANALOG_BUFFER) lostBehind++;
    else {
      if (filled === 0) firstAt = now;
      buffers[0][filled++] = code;
    }
    k++;
    cancel = clock.at(host.truly(startedAt + k * period), convert);
  };
  const sample = (hz: number) => {
    cancel();
    cancel = () => {};
    filled = seen = lost = lostBehind = 0;
    period = hz === 0 ? 0 : 1e6 / hz;
    startedAt = host.local(clock.now);
    k = 0;
    if (hz > 0) cancel = clock.at(clock.now, convert);
  };
  /** What came since the last time; the other buffer goes on. */
  const take = (): Sampled => {
    buffers.reverse();
    const sampled = {
      samples: buffers[1],
      count: filled,
      firstAt: host.local(firstAt),
      lastAt: host.local(firstAt) + (filled - 1) * period,
      uncertainty: 0,
      lost,
      inputs: seen | levels(),
    };
    lost = lostBehind;
    filled = seen = lostBehind = 0;
    return sampled;
  };

  return {
    maxRead: 0,
    converter,
    run(target, ops, done) {
      const began = clock.now;
      // What was sampled up to here belongs to this outcome, also where its operations stop the converter.
      const sampled = period === 0 ? null : take();
      for (const op of ops) {
        if ("pin" in op) chip.pin?.(op.pin, op.level);
        else if ("sample" in op) sample(op.sample);
        else throw new Error(`${target.model}: it is analog, there is no bus to read or write`);
      }
      host.touched(chip);
      host.at(began, () => {
        const time = host.local(began);
        const outcome: Outcome = {
          replies: [],
          error: null,
          began: time,
          ended: time,
          edges: 0,
          edgeAt: 0,
          inputs: levels(),
          ...(sampled !== null && { sampled }),
        };
        done(outcome);
      });
    },
  };
}
