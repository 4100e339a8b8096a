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

/** Runs one bench. Exit 1 where a figure is beyond its limit. */
export async function bench(name: string | undefined, options: BenchOptions): Promise<void> {
  if (name !== undefined && name !== "latency") {
    throw new UsageError(`bench ${name}: there is none of this name yet; there is latency`);
  }
  const { latency } = await import("./latency.ts");
  const figures = await latency((line) => process.stderr.write(`${line}\n`));
  if (options.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else for (const one of figures) process.stdout.write(`${describe(one)}\n`);
  if (figures.some(isBeyond)) process.exitCode = 1;
}

const isBeyond = ({ limit, ratio }: Figure) =>
  ratio !== null && (Number.isNaN(ratio) || (limit === "at most" ? ratio > 1 : ratio < 1));

function describe(one: Figure): string {
  const bound =
    one.limit === null ? "" : `  ${one.limit} ${one.limitValue} ${one.unit}${isBeyond(one) ? "  BEYOND" : ""}`;
  return `${one.name.padEnd(44)}${String(one.value).padStart(9)} ${one.unit.padEnd(8)}${bound}`;
}
