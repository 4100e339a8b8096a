/** Feeds the MAX30102 driver what an emulator answered, and tells which operations it wanted and what it made of them. */
import type { Outcome, Step } from "../../../drivers/driver.ts";
import { chip } from "../../../drivers/max30102/driver.ts";
import { bits } from "./text.ts";

/** One chain of steps, and what the bus answered to each. */
export interface Chain {
  readonly call: "open" | "poll" | "selfTest" | "close";
  readonly outcomes: readonly (Omit<Outcome, "replies"> & { readonly replies: readonly (readonly number[])[] })[];
}

export function program(print: (line: string) => void, chains: readonly Chain[]): void {
  const driver = chip.create({}, {});
  const frame = driver.createFrame();
  for (let c = 0; c < chains.length; c++) {
    const chain = chains[c];
    let step: Step | null =
      chain.call === "open"
        ? driver.open()
        : chain.call === "poll"
          ? driver.poll()
          : chain.call === "close"
            ? driver.close()
            : driver.selfTest();
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
}
