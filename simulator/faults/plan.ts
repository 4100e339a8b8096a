/**
 * A plan of faults: what goes wrong, with which board and chip, when, and for how long. It is data (a list in YAML or JSON, or
 * an array in a test), checked here; kinds.ts puts it into effect.
 */
import { z } from "zod";

/** A number with its bounds and its unit, as an error then says them. */
const within = (minimum: number, maximum: number, unit: string) =>
  z
    .number({ error: `a number from ${minimum} to ${maximum}${unit && ` ${unit}`}` })
    .refine((value) => value >= minimum && value <= maximum, {
      error: ({ input }) => `${input} is not ${minimum} to ${maximum}${unit && ` ${unit}`}; choose another`,
    });
const share = within(0, 1, "");
/** Longest of all times in a plan: 11 days, s. */
const LONGEST = 1e6;
const seconds = within(0, LONGEST, "s");

/** When, and on which board. One of `at`, `every` and `probability` is given. */
const when = {
  /** Index of the board in its ward, from 0; absent: every board that has what the fault is about. */
  board: z
    .int({ error: "a whole number from 0: the first board is 0" })
    .min(0, { error: "a whole number from 0: the first board is 0" })
    .optional(),
  /** Once, so long after the world's start, s. */
  at: seconds.optional(),
  /** Again and again, so long from one beginning to the next, s; for the first time at that time. */
  every: within(0.001, LONGEST, "s").optional(),
  /** That it begins within any one second in which it does not last already, by the world's seed; above 0, below 1. */
  probability: within(1e-9, 0.999_999, "a second").optional(),
};
/** The chip, by its model in small letters: max30102. Two of one model on a board fail together. */
const chip = { chip: z.string({ error: "the chip that it is about, such as max30102" }) };

/** `lasts`: of one occurrence without `for`, s. */
const entry = <K extends string, S extends z.ZodRawShape>(kind: K, lasts: number, own: S) =>
  z.strictObject({ kind: z.literal(kind), ...when, for: seconds.default(lasts), ...own });

const kinds = [
  /** An I2C chip does not acknowledge. `share`: of the operations with it, 0..1. */
  entry("nack", 1, { ...chip, share: share.default(1) }),
  /** An I2C chip holds the data line low until it has been given so many clock pulses by a recovery; "never": whatever is done. */
  entry("stuck-sda", 5, { ...chip, clocks: within(1, 1000, "clock pulses").or(z.literal("never")).default(9) }),
  /** Every bit on the I2C bus of this chip takes `factor` times as long. */
  entry("slow-clock", 5, { ...chip, factor: within(1, 1000, "").default(10) }),
  /** The chip answers with another identity: somebody put in another chip. It is without power for a moment at both ends. */
  entry("wrong-id", 10, chip),
  /** The red LED shines where the infrared one should, and the other way round: as on clone boards. */
  entry("swapped-leds", 30, chip),
  /** Nobody reads the chip, though the host lives: its FIFO overflows. What was asked of it then is done at the end. */
  entry("fifo-overflow", 0.5, chip),
  /** The host does nothing; the chips go on. Flash writes on common boards take 125 ms. */
  entry("host-stall", 0.125, {}),
  /** The chip's supply dips for so long: all its registers and data are lost. */
  entry("brown-out", 0, chip),
  /** The packet error code of an answer of the MLX90614 is wrong. `share`: of the answers, 0..1. */
  entry("bad-pec", 1, { ...chip, share: share.default(1) }),
  /** An electrode comes off, or both do. `voltage`: to which the lead-off current then pulls the input, V. */
  entry("lead-off", 10, {
    ...chip,
    electrode: z.enum(["positive", "negative", "both"]).default("both"),
    voltage: within(0, 1, "V").default(0.1),
  }),
  /** The converter is at its end. Added to the input: `light`, nA of photocurrent per mA of LED current; `voltage`, V. */
  entry("saturation", 5, {
    ...chip,
    light: within(0, 1e5, "nA/mA").default(10_000),
    voltage: within(-1, 1, "V").default(0.1),
  }),
  /**
   * Light of no LED. `current`: of the photodiode, uA, of which the chip takes some away and tells that it cannot take more.
   * What it leaves, nA per mA of LED current: constant, standard deviation of a slow drift, amplitude of a flicker at twice the
   * mains frequency (hz).
   */
  entry("ambient-light", 10, {
    ...chip,
    current: within(0, 1000, "uA").default(0),
    constant: within(0, 1e5, "nA/mA").default(50),
    drift: within(0, 1e5, "nA/mA").default(20),
    flicker: within(0, 1e5, "nA/mA").default(30),
    mains: within(45, 65, "hz").default(50),
  }),
  /** Whatever the chip measures stays what it was, to the last bit: there is no noise either. */
  entry("stuck-value", 10, chip),
  /** Normal noise on the input, root mean square in its unit: nA/mA of light, else V, else Cel; absent: 20, 0.001, 2. */
  entry("noise-burst", 5, { ...chip, amplitude: within(0, 1e5, "nA/mA, V or Cel").optional() }),
  /** The finger moves. `amplitude`: in heights of the infrared pulse, peak to peak; `difference`: part of each LED's own. */
  entry("motion", 8, {
    ...chip,
    amplitude: within(0, 1000, "times the pulse").default(3),
    difference: share.default(0.3),
  }),
  /** The finger is removed, and put back. */
  entry("finger-off", 10, chip),
  /** The chip is unplugged, and plugged in again: without power, and nobody answers. */
  entry("unplugged", 5, chip),
  /** The chip's oscillator is off for good, by so many percent of its frequency. It has no time. */
  entry("oscillator", 0, { ...chip, percent: within(-80, 300, "percent").default(1) }),
  /** Flash is erased, page after page: the host stands still for `pause` ms, again `interval` ms after each beginning. */
  entry("flash-pause", 1, {
    pause: within(0.001, 10_000, "ms").default(85),
    interval: within(1, 60_000, "ms").default(200),
  }),
  /** A bad serial line. `rate`: random bytes between the lines, bytes/s; `share`: of the lines from the board damaged, 0..1. */
  entry("serial-garbage", 5, { rate: within(0, 10_000, "bytes/s").default(100), share: share.default(0.5) }),
  /** The broker does not answer this board: the link is down, and up again. */
  entry("broker-gone", 10, {}),
] as const;

export type FaultKind = (typeof kinds)[number]["shape"]["kind"]["value"];
/** All kinds, in the order of the plan's docstrings. */
export const faultKinds: readonly FaultKind[] = kinds.map(({ shape }) => shape.kind.value);

const union = z.discriminatedUnion("kind", kinds, {
  error: ({ input }) => {
    const given = (input as { kind?: unknown } | undefined)?.kind;
    return `${given === undefined ? "no kind" : `"${given}" is no kind`} of fault; there are ${faultKinds.join(", ")}`;
  },
});

const checked = union.superRefine((fault, context) => {
  const refuse = (key: string, message: string) => context.addIssue({ code: "custom", message, path: [key] });
  const given = (["at", "every", "probability"] as const).filter((key) => fault[key] !== undefined);
  if (fault.kind === "oscillator") {
    for (const key of given) refuse(key, "an oscillator is off from the start and for good; remove it");
    if (fault.for !== 0) refuse("for", "an oscillator is off from the start and for good; remove it");
    return;
  }
  if (given.length !== 1)
    refuse(given[1] ?? "kind", `it needs one of at, every and probability, not ${given.join(" and ") || "none"}`);
  if (fault.for === 0 && fault.kind !== "brown-out") refuse("for", "0 s is no time; give more");
  if (fault.every !== undefined && fault.every <= fault.for)
    refuse("every", `every ${fault.every} s must be longer than the fault, which lasts ${fault.for} s`);
  if (fault.kind === "flash-pause" && fault.interval <= fault.pause)
    refuse("interval", `interval ${fault.interval} ms must be longer than pause ${fault.pause} ms`);
});

/** What a plan's file holds: a list of faults. */
export const faultPlan = z.array(checked, {
  error: "a list of faults, such as - { kind: nack, chip: tmp117, at: 10 }",
});

export type Fault = z.infer<typeof union>;
export type FaultPlan = readonly Fault[];
/** As it is written: what has a default may be absent. */
export type FaultEntry = z.input<typeof union>;

/** Checks a plan that is written in a program. Throws Error that names the entry (from 0), the key, the value and what to do. */
export function planFaults(entries: readonly FaultEntry[]): FaultPlan {
  const result = faultPlan.safeParse(entries);
  if (result.success) return result.data;
  throw new Error(
    result.error.issues.map(({ path, message }) => `faults: ${path.join(".") || "the plan"}: ${message}`).join("\n"),
  );
}
