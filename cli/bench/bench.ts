/** vitalwire bench: figures of one run, each beside its limit. */
import { UsageError } from "../usage.ts";

/** One figure. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** How `limitValue` bounds it; null: no limit. */
  readonly limit: "at most" | "at least" | null;
  readonly limitValue: number | null;
  /** value / limitValue. */
  readonly ratio: number | null;
}

export interface BenchOptions {
  readonly json?: boolean;
}

/** A figure with its ratio to the limit. */
export function figure(
  name: string,
  value: number,
  unit: string,
  bound: ["at most" | "at least", number] | null,
): Figure {
  const rounded = Number(value.toPrecision(4));
  const [limit, limitValue] = bound ?? [null, null];
  return {
    name,
    value: rounded,
    unit,
    limit,
    limitValue,
    ratio: limitValue === null ? null : Number((value / limitValue).toPrecision(3)),
  };
}

/** The p-th percentile, 0..100, by nearest rank; NaN for none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** This machine or installation lacks what a bench needs. The message says what, and what to do. */
export class Unavailable extends Error {}

/** Measures; `say` hears what it is about. Throws Unavailable where it cannot. */
type Bench = (say: (line: string) => void) => Promise<Figure[]>;

/** By name, each imported when it is asked for. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  dsp: async () => (await import("./dsp.ts")).dsp,
  latency: async () => (await import("./latency.ts")).latency,
  wire: async () => (await import("./wire.ts")).wire,
};

/**
 * Runs one bench, or without a name all that can be run here: what is left out is said. Exit 1 where a figure is beyond
 * its limit. Throws UsageError for another name, Unavailable where nothing can be run.
 */
export async function bench(name: string | undefined, options: BenchOptions, all = benches): Promise<void> {
  if (name !== undefined && !Object.hasOwn(all, name)) {
    throw new UsageError(`bench ${name}: there is none of this name yet; there are ${Object.keys(all).join(", ")}`);
  }
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const figures: Figure[] = [];
  for (const one of name === undefined ? Object.keys(all) : [name]) {
    try {
      const own = await (await all[one]!())(say);
      figures.push(...own);
      if (!options.json) write(own);
    } catch (error) {
      if (name !== undefined || !(error instanceof Unavailable)) throw error;
      say(`left out: ${error.message}`);
    }
  }
  if (figures.length === 0) throw new Unavailable("bench: nothing can be measured here");
  if (options.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  if (figures.some(isBeyond)) process.exitCode = 1;
}

const isBeyond = ({ limit, ratio }: Figure) =>
  ratio !== null && (Number.isNaN(ratio) || (limit === "at most" ? ratio > 1 : ratio < 1));

function write(figures: readonly Figure[]): void {
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const one of figures) process.stdout.write(`${describe(one, width)}\n`);
}

function describe(one: Figure, width: number): string {
  const bound =
    one.limit === null ? "" : `  ${one.limit} ${one.limitValue} ${one.unit}${isBeyond(one) ? "  BEYOND" : ""}`;
  return `${one.name.padEnd(width)} ${String(one.value).padStart(9)} ${one.unit.padEnd(10)}${bound}`.trimEnd();
}
