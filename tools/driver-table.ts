/**
 * The table of drivers/README.md: what every driver measures, what it weighs, what a sample costs.
 *
 * How it is measured:
 * - Bytes are those of `npx esbuild drivers/CHIP/driver.ts --bundle --minify --format=esm --target=es2015`: a chip's own
 *   files and the contract, its words for faults and for bad settings included.
 * - The sampling path is watched. The minified bundle runs against the chip's emulator, in its defaults, without and with
 *   its data-ready line: opened, then polled 20 times with nothing wrong. It is every function that ran in a poll, and what
 *   those name of tables, steps and state (trace-functions.ts). What else runs when it is opened, reconfigured and closed
 *   ("at work": that and the sampling path), what runs only when it is made, and what in a self-test and nowhere else, is
 *   told likewise: by what runs, not by the file it stands in.
 * - Statements are counted by count-statements.ts over one poll that finds exactly so many samples, the line not wired.
 *
 * `node --import tsx tools/driver-table.ts --write` writes the table; without `--write` it ends with 1 and says what
 * differs, or which limit is broken.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Channel, Chip } from "../drivers/driver.ts";
import type { EmulatedChip } from "../drivers/emulator.ts";
import { type ChipBench, createChipBench, wirings } from "./chip-bench.ts";
import { loadCounted } from "./count-statements.ts";
import { projectRoot, runMain } from "./files.ts";
import { bundle, bytesOf, load, type Piece, trace } from "./trace-functions.ts";

/** Bytes of what runs at every poll, at most. */
export const PATH_LIMIT = 2500;
/** Bytes of what runs in the defaults once the driver is made, self-test apart: what is aimed at. */
export const DRIVER_AIM = 5000;

/** Where the table stands, from the project's root, and the lines around it. */
const page = "drivers/README.md";
const begin = "<!-- Written by tools/driver-table.ts: run it with --write. -->";
const end = "<!-- End of what tools/driver-table.ts writes. -->";

const POLLS = 20;
/** Bursts whose cost per sample is told. */
const bursts = [
  { folder: "max30102", samples: 32, what: "samples" },
  { folder: "max30003", samples: 16, what: "words" },
];

/** One chip's row. Bytes are of minified text. */
export interface Measured {
  readonly folder: string;
  readonly model: string;
  readonly bus: string;
  readonly channels: readonly Channel[];
  /** What runs at every poll. */
  readonly path: number;
  /** What runs in the chip's defaults once the driver is made, the self-test apart: opened, polled, reconfigured, closed. */
  readonly driver: number;
  /** What runs only when it is made: settings are checked and turned into registers and channels. */
  readonly making: number;
  readonly whole: number;
  /** Of `whole`: what nothing but the self-test runs. */
  readonly selfTest: number;
  /** Lines of the emulator's own files. */
  readonly emulatorLines: number;
}

/** Statements that one poll of so many samples executes. */
export interface Burst {
  readonly model: string;
  readonly samples: number;
  readonly what: string;
  readonly statements: number;
}

/** Folders of drivers/ that hold a driver and its emulator. */
export function chipFolders(): string[] {
  const has = (folder: string, file: string) => existsSync(`${projectRoot}/drivers/${folder}/${file}`);
  return readdirSync(`${projectRoot}/drivers`).filter((one) => has(one, "chip.ts") && has(one, "emulator.ts"));
}

const emulatorOf = (folder: string) => load<{ emulated: EmulatedChip }>(`drivers/${folder}/emulator.ts`).emulated;

/** Measures one chip. Throws Error where it does not open, where a poll tells of a fault, or where no sample comes. */
export function measure(folder: string): Measured {
  const entry = `drivers/${folder}/driver.ts`;
  const { exports, text, ran } = trace<{ chip: Chip<unknown> }>(entry);
  const { chip } = exports;
  const emulated = emulatorOf(folder);
  const polled = new Set<Piece>();
  const made = new Set<Piece>();
  const besides = new Set<Piece>();
  const tested = new Set<Piece>();
  /** What ran since the last time goes to `where`. */
  const sort = (where: Set<Piece>) => {
    for (const one of ran) where.add(one);
    ran.clear();
  };
  const clean = (bench: ChipBench, what: string) => {
    const [fault] = bench.frame.faults;
    if (fault !== undefined) throw new Error(`${chip.model}: ${what} told of a fault: ${fault.message}`);
  };
  let channels: readonly Channel[] = [];
  for (const interrupt of wirings(chip)) {
    const bench = createChipBench(chip, emulated, interrupt);
    const { driver, frame } = bench;
    sort(made);
    channels = driver.channels();
    bench.run(driver.open());
    clean(bench, "open");
    sort(besides);
    let samples = 0;
    for (let i = 0; i < POLLS; i++) {
      bench.wait(driver.pollEvery);
      const step = driver.poll();
      bench.run(step);
      clean(bench, `poll ${i}`);
      for (const { count } of frame.channels) samples += count;
    }
    if (samples === 0) throw new Error(`${chip.model}: ${POLLS} polls and no sample; what would be measured?`);
    sort(polled);
    bench.run(driver.selfTest());
    sort(tested);
    bench.run(driver.close());
    bench.run(driver.open());
    bench.run(driver.reconfigure(driver.configuration) ?? { ops: [] });
    sort(besides);
  }
  const own = new Set(bundle(entry).inputs);
  const emulator = bundle(`drivers/${folder}/emulator.ts`).inputs.filter((path) => !own.has(path));
  return {
    folder,
    model: chip.model,
    bus: chip.bus,
    channels,
    path: bytesOf(polled),
    driver: bytesOf(new Set([...polled, ...besides])),
    making: bytesOf(new Set([...polled, ...besides, ...made])) - bytesOf(new Set([...polled, ...besides])),
    whole: text.length,
    selfTest: bytesOf([...tested].filter((one) => !polled.has(one) && !besides.has(one))),
    emulatorLines: emulator.reduce((sum, path) => sum + lines(path), 0),
  };
}

const lines = (path: string) => readFileSync(`${projectRoot}/${path}`, "utf8").split("\n").length - 1;

/** Counts a poll that finds `samples` samples. Throws Error where none finds exactly that many. */
export function measureBurst(folder: string, samples: number, what: string): Burst {
  const { exports, counter } = loadCounted<{ chip: Chip<unknown> }>(`drivers/${folder}/chip.ts`);
  const bench = createChipBench(exports.chip, emulatorOf(folder), false);
  const { driver, frame } = bench;
  const period = 1000 / driver.channels()[0].rate;
  // When the chip's first sample comes is its own affair.
  for (let late = -2; late <= 2; late += 1 / 4) {
    bench.run(driver.open());
    bench.sleep((samples + late) * period);
    counter.statements = 0;
    bench.run(driver.poll());
    const { statements } = counter;
    if (frame.faults.length === 0 && frame.channels[0].count === samples) {
      return { model: driver.model, samples, what, statements };
    }
  }
  throw new Error(
    `${driver.model}: no poll finds exactly ${samples} ${what}; say another number in the table's program`,
  );
}

const number = (value: number) => value.toLocaleString("en");

/** "red, infrared (100 hz); dieTemperature in Cel (now and then)". */
function measures(channels: readonly Channel[]): string {
  const groups = new Map<string, string[]>();
  for (const { name, unit, rate } of channels) {
    const how = `${unit === "1" ? "" : ` in ${unit}`} (${rate === 0 ? "as they come" : `${Math.round(rate * 1000) / 1000} hz`})`;
    groups.set(how, [...(groups.get(how) ?? []), name]);
  }
  return [...groups].map(([how, names]) => names.join(", ") + how).join("; ");
}

function reached(chips: readonly Measured[]): string {
  const light = chips
    .filter(({ driver }) => driver <= DRIVER_AIM)
    .map(({ model }) => model)
    .sort();
  return light.length === 0 ? "none yet" : light.join(", ");
}

/** The lines between the markers. */
export function render(chips: readonly Measured[], costs: readonly Burst[]): string[] {
  const titles = [
    "chip",
    "bus",
    "measures, in its defaults",
    "sampling path",
    "at work, in its defaults",
    "to be made",
    "for the self-test only",
    "all of it",
    "emulator, lines",
  ];
  const rows = chips.map((one) => [
    `[${one.model}](${one.folder}/README.md)`,
    one.bus === "analog" ? one.bus : one.bus === "i2c" ? "I2C" : "SPI",
    measures(one.channels),
    `${number(one.path)} of ${number(PATH_LIMIT)}`,
    number(one.driver),
    number(one.making),
    number(one.selfTest),
    number(one.whole),
    number(one.emulatorLines),
  ]);
  return [
    `| ${titles.join(" | ")} |`,
    `| ${titles.map((_, i) => (i < 3 ? "---" : "---:")).join(" | ")} |`,
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    "",
    `- ${number(DRIVER_AIM)} bytes are aimed at for a driver at work; reached by ${reached(chips)}.`,
    ...costs.map(
      ({ model, samples, what, statements }) =>
        `- A ${model} burst of ${samples} ${what} executes ${statements} statements of its driver, ` +
        `${(statements / samples).toFixed(1)} a ${what.replace(/s$/, "")}.`,
    ),
  ];
}

/** One sentence for each chip whose sampling path is too heavy. */
export function overweight(chips: readonly Measured[]): string[] {
  return chips
    .filter(({ path }) => path > PATH_LIMIT)
    .map(({ model, path }) => `${model}: its sampling path has ${path} bytes, ${PATH_LIMIT} are allowed: shorten it`);
}

/** `text` with `table` between its markers. Throws Error where it has none. */
export function replaceTable(text: string, table: readonly string[]): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has no place for the table: put "${begin}" and "${end}" there`);
  return `${text.slice(0, from + begin.length)}\n\n${table.join("\n")}\n\n${text.slice(to)}`;
}

/** One sentence for each line that is not as the program writes it. */
export function differences(text: string, table: readonly string[]): string[] {
  const written = replaceTable(text, table);
  if (written === text) return [];
  const there = new Set(text.split("\n"));
  const missing = table.filter((line) => line !== "" && !there.has(line));
  const should = new Set(written.split("\n"));
  const wrong = text
    .slice(text.indexOf(begin), text.indexOf(end))
    .split("\n")
    .filter((line) => !should.has(line));
  const hint = "run node --import tsx tools/driver-table.ts --write";
  return [
    ...missing.map((line) => `${page} lacks "${line}": ${hint}`),
    ...wrong.map((line) => `${page} has "${line}", which is not so: ${hint}`),
    ...(missing.length + wrong.length === 0 ? [`${page}: the table's lines are in another order: ${hint}`] : []),
  ];
}

/** Measures every chip; `findings`: what differs from the page, and what is too heavy. */
export function checkDrivers(): { readonly table: string[]; readonly text: string; readonly findings: string[] } {
  const chips = chipFolders().map(measure);
  const table = render(
    chips,
    bursts.map(({ folder, samples, what }) => measureBurst(folder, samples, what)),
  );
  const text = readFileSync(`${projectRoot}/${page}`, "utf8");
  return { table, text, findings: [...differences(text, table), ...overweight(chips)] };
}

function main(): number {
  const { table, text, findings } = checkDrivers();
  const write = process.argv.includes("--write");
  if (write) writeFileSync(`${projectRoot}/${page}`, replaceTable(text, table));
  const left = write ? findings.filter((one) => !one.startsWith(page)) : findings;
  for (const finding of left) console.error(finding);
  console.log(`driver-table: ${chipFolders().length} chips, ${left.length} finding${left.length === 1 ? "" : "s"}`);
  return left.length === 0 ? 0 : 1;
}

runMain(import.meta.url, main);
