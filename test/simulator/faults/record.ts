/** One board with a plan of faults, from the registers to the store. */
import { createWard, type Ward } from "../../../cli/ward.ts";
import { channelName, readBoot } from "../../../gateway/read.ts";
import { EVENT_FAULT, EVENT_OVERFLOW, qualFlags } from "../../../protocol/messages.ts";
import { type FaultEntry, type FaultEvent, planFaults } from "../../../simulator/faults.ts";

/** A sample of a waveform in the store: board time, s; the code; the flags of its block. */
export interface Sample {
  readonly time: number;
  readonly code: number;
  readonly flags: number;
}

export interface Played {
  readonly ward: Ward;
  readonly truth: readonly FaultEvent[];
  /** What the board told as faults, in words, from..to s. */
  faults(from: number, to: number): string[];
  /** Losses that it declared from..to s: samples of a waveform, null where it could not count. */
  losses(from: number, to: number): (number | null)[];
  /** Samples from..to s of the waveform of this name. */
  wave(name: string, from: number, to: number): Sample[];
  /** SHA-256 of what each converter gave. */
  readonly sources: readonly string[];
}

/** Plays it for so many seconds in lock step, stops the boards, and reads the first one's record. The caller stops the ward. */
export async function play(
  plan: readonly FaultEntry[] | null,
  seconds: number,
  boards = 1,
  noise = true,
): Promise<Played> {
  const truth: FaultEvent[] = [];
  const ward = await createWard({
    boards,
    seed: 1,
    noise,
    epoch: 1_767_225_600_000,
    ...(plan !== null && { faults: planFaults(plan), onFault: (event: FaultEvent) => truth.push(event) }),
  });
  await ward.start();
  await ward.runLockStep(seconds * 1e6, () => false);
  await ward.stopBoards();
  const { node } = ward.boards[0];
  const boot = readBoot(ward.gateway.store, node.signer.kid, node.boot)!;
  const told = (code: number, from: number, to: number) =>
    boot.events
      .filter((event) => event.code === code && event.tick >= from * 1000 && event.tick < to * 1000)
      .map(({ small }) => (small as readonly unknown[])[2]);
  return {
    ward,
    truth,
    faults: (from, to) => told(EVENT_FAULT, from, to).map(String),
    losses: (from, to) => told(EVENT_OVERFLOW, from, to) as (number | null)[],
    wave(name, from, to) {
      const channel = [...boot.channels.values()].find((one) => channelName(one) === name)!;
      return channel.blocks.flatMap(({ time, samples, qual, rateMilliHz }) =>
        Array.from(samples, (code, i) => ({
          time: (time + (i * 1e9) / rateMilliHz) / 1e6,
          code,
          flags: qualFlags(qual),
        })).filter((sample) => sample.time >= from && sample.time < to),
      );
    },
    sources: node.sources.map((source) => source.digest()),
  };
}

export const codes = (samples: readonly Sample[]): number[] => samples.map(({ code }) => code);
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
export const spread = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};
