/** Feeds a driver what a chip answered, and tells which operations it wanted and what it made of the answers. */
import {
  type Chip,
  clearFrame,
  type Driver,
  type Frame,
  type Outcome,
  type Step,
  type Wiring,
} from "../../../drivers/driver.ts";
import { bits } from "./text.ts";

/** An outcome as JSON can carry it. */
export type Told = Omit<Outcome, "replies"> & { readonly replies: readonly (readonly number[])[] };

/** One chain of steps, and what came of each. */
export interface Chain {
  readonly call: "open" | "poll" | "selfTest" | "close";
  readonly outcomes: readonly Told[];
}

export interface Conversation {
  readonly configuration: object;
  readonly wiring: Wiring;
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
  for (let i = 0; i < frame.measurements.length; i++) {
    const one = frame.measurements[i];
    print(`${one.name} ${bits(one.value)} ${bits(one.minimum)} ${bits(one.maximum)} ${one.pass}`);
  }
}

const outcomeOf = (told: Told): Outcome =>
  Object.assign({}, told, { replies: told.replies.map((bytes) => new Uint8Array(bytes)) });

/** Wants the same operations in the same order, or says what else. */
export function replay(
  chip: Pick<Chip<unknown>, "create">,
  print: (line: string) => void,
  conversations: readonly Conversation[],
): void {
  for (let n = 0; n < conversations.length; n++) {
    const driver = chip.create(conversations[n].configuration, conversations[n].wiring) as Driver;
    const frame = driver.createFrame();
    const channels = driver.channels();
    for (let i = 0; i < channels.length; i++) print(`${channels[i].name} ${channels[i].mul} ${channels[i].exp10}`);
    const chains = conversations[n].chains;
    for (let c = 0; c < chains.length; c++) {
      clearFrame(frame);
      const outcomes = chains[c].outcomes;
      let step: Step | null = begin(driver, chains[c].call);
      for (let i = 0; i < outcomes.length && step !== null; i++) {
        const told = outcomes[i];
        print(`${chains[c].call} ${JSON.stringify(step.ops)} ${step.pause ?? 0}`);
        step = step.next === undefined ? null : step.next(outcomeOf(told), frame);
      }
      print(step === null ? "done" : "wants more");
      tell(print, frame);
    }
  }
}
