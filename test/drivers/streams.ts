/** What a chip converted against what its driver says of it: sample for sample, loss for loss. */
import { expect } from "vitest";
import type { Channel, Frame } from "../../drivers/driver.ts";
import type { AnyEmulator } from "../../simulator/bench.ts";

/** Numbers that a test can afford to be off by, us: the rounding of sums of times. */
const ROUNDING = 1;

/** Listens at the converter from now on. `follow` every frame, then `end` with the one of `close()`. */
export function followStreams(emulator: AnyEmulator, channels: readonly Channel[]) {
  const streams = channels.map(() => ({
    codes: [] as number[],
    times: [] as number[],
    at: 0,
    unknown: false,
    doubt: false,
  }));
  emulator.onConvert = (name, code, at) => {
    const stream = streams[channels.findIndex((channel) => channel.name === name)];
    if (stream === undefined) throw new Error(`${emulator.model}: converts "${name}", which its driver does not know`);
    // Rounding gives -0, a converter does not.
    stream.codes.push(code + 0);
    stream.times.push(at);
  };

  /** Every block continues its stream, behind as many samples as it says were lost. */
  const follow = (frame: Frame) => {
    streams.forEach((stream, i) => {
      const { samples, count, index, lost, time, uncertainty } = frame.channels[i];
      expect(count).toBeLessThanOrEqual(samples.length);
      const got = Array.from(samples.subarray(0, count));
      if (lost < 0) stream.unknown = stream.doubt = true;
      else stream.at += lost;
      if (count === 0) return;
      const { codes } = stream;
      // Behind an unknown loss the stream goes on wherever the samples are.
      if (stream.doubt)
        while (stream.at < codes.length && got.some((code, k) => codes[stream.at + k] !== code)) stream.at++;
      stream.doubt = false;
      expect(got, `${emulator.model}, ${channels[i].name}, from sample ${stream.at}`).toEqual(
        codes.slice(stream.at, stream.at + count),
      );
      if (!stream.unknown) expect(index).toBe(stream.at);
      expect(Math.abs(time - stream.times[stream.at]), "time of the first sample").toBeLessThanOrEqual(
        uncertainty + ROUNDING,
      );
      stream.at += count;
    });
  };

  /** Everything converted up to the last frame, which is this one, is decoded, counted as lost, or declared unknown. */
  const ended = (frame: Frame) => {
    for (const { at, codes, doubt } of streams) {
      expect(at).toBeLessThanOrEqual(codes.length);
      if (!doubt && frame.faults.length === 0) expect(at).toBe(codes.length);
    }
  };

  return {
    follow,
    ended,
    end(frame: Frame) {
      follow(frame);
      ended(frame);
    },
  };
}
