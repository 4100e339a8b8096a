/** Records for property tests. */
import fc from "fast-check";
import { INVALID_SAMPLE, type WfdbFormat, type WfdbRecordInput, type WfdbSignalInput } from "../../formats/index.ts";

const anySignal = (format: WfdbFormat, frames: number, file?: string): fc.Arbitrary<WfdbSignalInput> =>
  fc.integer({ min: 1, max: 3 }).chain((samplesPerFrame) =>
    fc.integer({ min: 0, max: Math.min(3, frames) }).chain((skew) =>
      fc.record({
        before: int32(format, skew),
        samples: int32(format, frames * samplesPerFrame - skew),
        format: fc.constant(format),
        samplesPerFrame: fc.constant(samplesPerFrame),
        gain: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        baseline: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
        units: fc.constantFrom("mV", "uV", "nA/cm2", "%", "[degF]"),
        adcZero: fc.integer({ min: -2048, max: 2047 }),
        resolution: fc.integer({ min: 1, max: 24 }),
        description: fc.constantFrom("", "ECG lead II", "x (1) #2"),
        ...(file === undefined ? {} : { file: fc.constant(file) }),
      }),
    ),
  );
const int32 = (format: WfdbFormat, length: number) =>
  fc
    .array(fc.integer({ min: INVALID_SAMPLE[format], max: -INVALID_SAMPLE[format] - 1 }), {
      minLength: length,
      maxLength: length,
    })
    .map((values) => Int32Array.from(values));
const anyFormat = fc.constantFrom<WfdbFormat>(212, 16, 24);
/** Any record that the writer takes: all formats, skew, several samples a frame, two files. */
export const anyRecord: fc.Arbitrary<WfdbRecordInput> = fc
  .tuple(anyFormat, anyFormat, fc.integer({ min: 1, max: 9 }))
  .chain(([a, b, frames]) =>
    fc.record({
      name: fc.constantFrom("r", "00ff_3_256", "A-1"),
      rate: fc.constantFrom(1, 256, 199.8, 360),
      signals: fc
        .tuple(
          fc.array(anySignal(a, frames), { maxLength: 3 }),
          fc.array(anySignal(b, frames, "other.dat"), { maxLength: 2 }),
        )
        .map(([first, second]) => [...first, ...second]),
      counterRate: fc.constantFrom(null, 60, 0.5),
      baseCounter: fc.constantFrom(null, -12.5, 3),
      baseTime: fc.constantFrom("0:0:0", "13:05:00", "23:59:59.125"),
      baseDate: fc.constantFrom(null, "25/4/1989"),
      comments: fc.constantFrom([], ["75 F", "", "# two"]),
    }),
  );
