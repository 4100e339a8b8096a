/** Feeds the MAX30102 driver what an emulator answered, and tells which operations it wanted and what it made of them. */
import type { Driver, Frame, Outcome, Step } from "../../../drivers/driver.ts";
import { chip as max30101 } from "../../../drivers/max30101/driver.ts";
import { chip } from "../../../drivers/max30102/driver.ts";
import { bits } from "./text.ts";

/** One chain of steps, and what the bus answered to each. */
export interface Chain {
  readonly call: "open" | "poll" | "selfTest" | "close";
  readonly outcomes: readonly (Omit<Outcome, "replies"> & { readonly replies: readonly (readonly number[])[] })[];
}

function begin(driver: Driver, call: Chain["call"]): Step {
  if (call === "open") return driver.open();
  if (call === "poll") return driver.poll();
  return call === "close" ? driver.close() : driver.selfTest();
}

function tell(print: (line: string) => void, frame: Frame): void {
  for (let i = 0; i < frame.channels.length; i++) {
    const block = frame.channels[i];
    let samples = "";
    for (let k = 0; k < block.count; k++) samples += ` ${block.samples[k]}`;
    print(`${i}: ${block.count} from ${block.index} lost ${block.lost} flags ${block.flags}${samples}`);
    print(`${i}: ${bits(block.time)} ${bits(block.uncertainty)}`);
  }
  const identity = frame.identity;
  print(`${identity === null ? "nobody" : `${identity.verdict} ${identity.read}`} restart ${frame.restart}`);
  for (let i = 0; i < frame.faults.length; i++) print(`${frame.faults[i].code} ${frame.faults[i].message}`);
  for (let i = 0; i < frame.measurements.length; i++)
    print(`${frame.measurements[i].name} ${bits(frame.measurements[i].value)}`);
}

/** A driver in a configuration on a bus, against registers that hold what they are told and a FIFO that counts. */
function rehearse(print: (line: string) => void, driver: Driver, size: number): void {
  const registers = new Uint8Array(256);
  registers[0xff] = 0x15;
  registers[0x1f] = 0xf0;
  registers[0x20] = 0x03;
  const frame = driver.createFrame();
  const channels = driver.channels();
  for (let i = 0; i < channels.length; i++) print(JSON.stringify(channels[i]));
  const calls: Chain["call"][] = ["open", "poll", "poll", "selfTest", "poll", "close"];
  let now = 20000;
  let next = 1;
  for (let c = 0; c < calls.length; c++) {
    for (let i = 0; i < frame.channels.length; i++) {
      frame.channels[i].count = 0;
      frame.channels[i].flags = 0;
    }
    if (calls[c] === "poll") registers[4] = (registers[4] + 5) & 31;
    // Fresh data, and at the second poll the end of a die temperature.
    registers[0] = 0x40;
    registers[1] = c === 2 ? 2 : 0;
    let step: Step | null = begin(driver, calls[c]);
    while (step !== null) {
      print(`${calls[c]} ${JSON.stringify(step.ops)} pause ${bits(step.pause ?? 0)}`);
      const replies: Uint8Array[] = [];
      for (let o = 0; o < step.ops.length; o++) {
        const op = step.ops[o];
        if ("write" in op) {
          for (let i = 1; i < op.write.length; i++) registers[op.write[0] + i - 1] = op.write[i];
          registers[0x09] &= 0xbf;
          registers[0x21] = 0;
        } else if ("read" in op) {
          const reply = new Uint8Array(op.read);
          let at = op.at === undefined ? 0 : op.at;
          for (let i = 0; i < reply.length; i++) {
            reply[i] = registers[at];
            if (at === 7) {
              reply[i] = (next * 37) & 255;
              if (next % size === 1) registers[6] = (registers[6] + 1) & 31;
              next++;
            } else at++;
          }
          replies.push(reply);
        }
      }
      now += 50000;
      const outcome = {
        replies: replies,
        error: null,
        began: now,
        ended: now + 700,
        edges: 1,
        edgeAt: now - 300,
        inputs: 0,
      };
      step = step.next === undefined ? null : step.next(outcome, frame);
    }
    tell(print, frame);
  }
}

export function program(print: (line: string) => void, chains: readonly Chain[]): void {
  const driver = chip.create({}, {});
  const frame = driver.createFrame();
  for (let c = 0; c < chains.length; c++) {
    const chain = chains[c];
    let step: Step | null = begin(driver, chain.call);
    for (let i = 0; i < frame.channels.length; i++) frame.channels[i].count = 0;
    for (let i = 0; i < chain.outcomes.length; i++) {
      if (step === null) {
        print("ended early");
        break;
      }
      print(`${chain.call} ${JSON.stringify(step.ops)} pause ${bits(step.pause ?? 0)}`);
      const told = chain.outcomes[i];
      const replies: Uint8Array[] = [];
      for (let r = 0; r < told.replies.length; r++) replies.push(new Uint8Array(told.replies[r]));
      step = step.next === undefined ? null : step.next(Object.assign({}, told, { replies: replies }), frame);
    }
    if (step !== null) print("wants more");
    tell(print, frame);
  }
  rehearse(print, chip.create({ slots: ["infrared"], pulseWidth: 69, sampleRate: 1600 }, { maxRead: 7 }), 3);
  rehearse(print, chip.create({ dieTemperature: true, averaging: 4 }, { maxRead: 8 }), 6);
  rehearse(print, chip.create({ interruptOn: "sample", swapLeds: true }, { interrupt: true, maxRead: 30 }), 6);
  const four = max30101.create({ slots: ["red", "infrared", "green", "green"], dieTemperature: 5 }, { maxRead: 30 });
  rehearse(print, four, 12);
  rehearse(print, max30101.create({ proximity: { current: 2, threshold: 8 } }, {}), 6);
  const wrong = [{ slots: [] }, { sampleRate: 1600 }, { interruptOn: "x" as "burst" }, { dieTemperature: 0 }];
  for (let i = 0; i < wrong.length; i++) {
    try {
      chip.create(wrong[i], {});
      print("accepted");
    } catch (error) {
      print((error as Error).message);
    }
  }
}
