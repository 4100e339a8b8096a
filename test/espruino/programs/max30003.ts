/** Feeds the MAX30003 driver what an emulator answered, and tells which operations it wanted and what it made of them. */
import type { Driver, Frame, Outcome, Step } from "../../../drivers/driver.ts";
import { chip, type Max30003Configuration } from "../../../drivers/max30003/driver.ts";
import { bits } from "./text.ts";

/** One chain of steps, and what the bus answered to each. */
export interface Chain {
  readonly call: "open" | "poll" | "selfTest" | "close";
  readonly outcomes: readonly (Omit<Outcome, "replies"> & { readonly replies: readonly (readonly number[])[] })[];
}

export interface Conversation {
  readonly configuration: Partial<Max30003Configuration>;
  readonly chains: readonly Chain[];
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

export function program(print: (line: string) => void, conversations: readonly Conversation[]): void {
  for (let n = 0; n < conversations.length; n++) {
    const driver = chip.create(conversations[n].configuration, { maxRead: 30 });
    const frame = driver.createFrame();
    const channels = driver.channels();
    for (let i = 0; i < channels.length; i++) print(JSON.stringify(channels[i]));
    const chains = conversations[n].chains;
    for (let c = 0; c < chains.length; c++) {
      let step: Step | null = begin(driver, chains[c].call);
      for (let i = 0; i < frame.channels.length; i++) {
        const block = frame.channels[i];
        block.count = 0;
        block.lost = 0;
        block.flags = 0;
      }
      frame.faults.splice(0, frame.faults.length);
      frame.measurements.splice(0, frame.measurements.length);
      const outcomes = chains[c].outcomes;
      for (let i = 0; i < outcomes.length; i++) {
        if (step === null) {
          print("ended early");
          break;
        }
        print(`${chains[c].call} ${JSON.stringify(step.ops)} pause ${bits(step.pause ?? 0)}`);
        const told = outcomes[i];
        const replies: Uint8Array[] = [];
        for (let r = 0; r < told.replies.length; r++) replies.push(new Uint8Array(told.replies[r]));
        step = step.next === undefined ? null : step.next(Object.assign({}, told, { replies: replies }), frame);
      }
      if (step !== null) print("wants more");
      tell(print, frame);
    }
    const changed = driver.reconfigure(Object.assign({}, driver.configuration, { fastRecovery: "manual" }));
    print(changed === null ? "a new record" : JSON.stringify(changed.ops));
  }
  const wrong: Partial<Max30003Configuration>[] = [
    { sampleRate: 300 },
    { lowPass: 150 },
    { leadOff: 5, leadBias: 50 },
    { calibration: {} },
    { leadOff: 0, calibration: { frequency: 64, high: 15625 } },
    { leadOn: 5, leadOff: 0 },
    { rrInterval: { holdOff: 64 } },
    { rrInterval: { gain: 3 } },
    { fastRecoveryThreshold: 3 / 2 },
  ];
  for (let i = 0; i < wrong.length; i++) {
    try {
      chip.create(wrong[i], {});
      print("accepted");
    } catch (error) {
      print((error as Error).message);
    }
  }
}
