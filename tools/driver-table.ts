/**
 * The table of drivers/README.md: what every driver measures, what it weighs, what a sample costs.
 *
 * How it is measured:
 * - A driver's bytes are what `npx esbuild drivers/CHIP/driver.ts --bundle --minify --format=esm --target=es2015` writes: all
 *   that a board carries of it, the contract and the words of every fault included. Checks of settings (chip.ts) and the
 *   self-test must not be among its inputs.
 * - That bundle alone, given the setup as JSON, runs against the chip's emulator, in its defaults, without and with its
 *   data-ready line: opened, then polled 20 times with nothing wrong. The sampling path is every function that ran in a
 *   poll, and what those name of tables, steps and state (trace-functions.ts).
 * - Statements are counted by count-statements.ts over one poll that finds exactly so many samples, the line not wired.
 *
 * `node --import tsx tools/driver-table.ts --write` writes the table; without `--write` it ends with 1 and says what
 * differs, or which limit is broken.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Channel, Chip, Core, Driver, Setup } from "../drivers/driver.ts";
import type { EmulatedChip } from "../drivers/emulator.ts";
import { createChipBench, wirings } from "./chip-bench.ts";
import { loadCounted } from "./count-statements.ts";
import { projectRoot, runMain } from "./files.ts";
import { bundle, bytesOf, load, type Piece, trace } from "./trace-functions.ts";

/** Bytes of what runs at every poll, at most. */
export const PATH_LIMIT = 2500;
/** Bytes of a whole driver, checks of settings and self-test apart, at most. */
export const DRIVER_LIMIT = 5000;

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
  /** All that a board carries. */
  readonly driver: number;
  /** The setup of its defaults, as JSON. */
  readonly setup: number;
  /** With checks of settings and self-test: what `chip` of chip.ts brings along. */
  readonly whole: number;
  /** What of chip.ts, settings.ts and selftest.ts the driver imports: nothing. */
  readonly strangers: readonly string[];
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
  const { exports, text, ran } = trace<{ createDriver: (setup: Setup) => Core }>(entry);
  const { chip } = load<{ chip: Chip<unknown> }>(`drivers/${folder}/chip.ts`);
  const emulated = emulatorOf(folder);
  const polled = new Set<Piece>();
  let channels: readonly Channel[] = [];
  let setup = "";
  for (const interrupt of wirings(chip)) {
    const create: Chip["create"] = (configuration, wiring) => {
      setup = JSON.stringify(chip.setup(configuration, wiring));
      return exports.createDriver(JSON.parse(setup)) as unknown as Driver;
    };
    const { driver, frame, run, wait } = createChipBench({ ...chip, create }, emulated, interrupt);
    const clean = (what: string) => {
      const [fault] = frame.faults;
      if (fault !== undefined) throw new Error(`${chip.model}: ${what} told of a fault: ${fault.message}`);
    };
    channels = driver.channels();
    run(driver.open());
    clean("open");
    let samples = 0;
    for (let i = 0; i < POLLS; i++) {
      wait(driver.pollEvery);
      const step = driver.poll();
      ran.clear();
      run(step);
      for (const one of ran) polled.add(one);
      clean(`poll ${i}`);
      for (const { count } of frame.channels) samples += count;
    }
    if (samples === 0) throw new Error(`${chip.model}: ${POLLS} polls and no sample; what would be measured?`);
  }
  const own = bundle(entry).inputs;
  const whole = bundle(`drivers/${folder}/chip.ts`);
  const emulator = bundle(`drivers/${folder}/emulator.ts`).inputs.filter((path) => !whole.inputs.includes(path));
  return {
    folder,
    model: chip.model,
    bus: chip.bus,
    channels,
    path: bytesOf(polled),
    driver: text.length,
    setup: setup.length,
    whole: whole.text.length,
    strangers: own.filter((path) => /\/(?:chip|settings|selftest)\.ts$/.test(path)),
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

/** The lines between the markers. */
export function render(chips: readonly Measured[], costs: readonly Burst[]): string[] {
  const titles = [
    "chip",
    "bus",
    "measures, in its defaults",
    "sampling path",
    "driver",
    "setup, as JSON",
    "with checks and self-test",
    "emulator, lines",
  ];
  const rows = chips.map((one) => [
    `[${one.model}](${one.folder}/README.md)`,
    one.bus === "analog" ? one.bus : one.bus === "i2c" ? "I2C" : "SPI",
    measures(one.channels),
    `${number(one.path)} of ${number(PATH_LIMIT)}`,
    `${number(one.driver)} of ${number(DRIVER_LIMIT)}`,
    number(one.setup),
    number(one.whole),
    number(one.emulatorLines),
  ]);
  return [
    `| ${titles.join(" | ")} |`,
    `| ${titles.map((_, i) => (i < 3 ? "---" : "---:")).join(" | ")} |`,
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    "",
    ...costs.map(
      ({ model, samples, what, statements }) =>
        `- A ${model} burst of ${samples} ${what} executes ${statements} statements of its driver, ` +
        `${(statements / samples).toFixed(1)} a ${what.replace(/s$/, "")}.`,
    ),
  ];
}

/** One sentence for each limit that a chip breaks. */
export function overweight(chips: readonly Measured[]): string[] {
  return chips.flatMap(({ model, path, driver, strangers }) => [
    ...(path <= PATH_LIMIT
      ? []
      : [`${model}: its sampling path has ${path} bytes, ${PATH_LIMIT} are allowed: shorten it`]),
    ...(driver <= DRIVER_LIMIT
      ? []
      : [`${model}: its driver has ${driver} bytes, ${DRIVER_LIMIT} are allowed: shorten it`]),
    ...strangers.map((one) => `${model}: its driver imports ${one}, which a board need not carry: move what it needs`),
  ]);
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
