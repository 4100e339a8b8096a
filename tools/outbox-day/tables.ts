/** Measured days as tables for a person: markdown. */
import { PAGE_HEADER } from "../../firmware/flash-log/format.ts";
import { PAGE_SIZE } from "./board.ts";
import { PLACES, type Place } from "./boards.ts";
import type { Measured } from "./measure.ts";

const DAY = 86_400;
const CARD = 8e9;
const FORTNIGHT = 14;
/** Pages of a log that hold nothing: the reserve, and the two that are open, half full. */
const IDLE_PAGES = 3;
/** Fewest pages of a log (firmware/flash-log/log.ts). */
const LEAST_PAGES = 6;
const VITAL = 4;
/** What is lost at a page's end: half a vital. */
const PAGE_END = 60;
/** What the log adds to a message in mode mac, and its manifest's share: header, CRC, half a filling, hash, hash again. */
const VITAL_MORE = 20 + 4 + 1.5 + 16 + 18.3;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line), ""].join("\n");
}

const mega = (bytes: number) => (bytes / 1e6).toFixed(2);
const group = (value: number) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, " ");
const ratio = (value: number) => value.toFixed(3);
const years = (value: number) => {
  if (value >= 1000) return "over 1000";
  return value >= 10 ? value.toFixed(0) : value.toPrecision(2);
};

export const nameOf = ({ settings: { profile, rate, packet, mode, record } }: Measured): string =>
  `${profile === "lead" ? "one lead" : profile}${record === undefined ? "" : ` (${record})`}, ECG ${rate} Hz, ${packet.codec}, ${packet.period / 1000} s, ${mode}`;

/** Of a day. */
const daily = ({ settings, tally }: Measured) => {
  const of = (value: number) => (value * 24) / settings.hours;
  const erased = of(tally.erasures * PAGE_SIZE);
  return { sealed: of(tally.sealed), messages: of(tally.messages), written: of(tally.written), erased };
};

/** Bytes of flash that a second takes, page ends included; of the vitals of a full day alone. */
const taken = (one: Measured) => daily(one).erased / DAY;
function vitalsOf({ tally, settings }: Measured): { sealed: number; taken: number } {
  const vital = tally.kinds[VITAL] ?? { messages: 0, bytes: 0 };
  const seconds = settings.hours * 3600;
  return {
    sealed: vital.bytes / seconds,
    taken: ((vital.bytes + vital.messages * VITAL_MORE) / seconds) * (PAGE_SIZE / (PAGE_SIZE - PAGE_HEADER - PAGE_END)),
  };
}

export function measuredTable(days: readonly Measured[]): string {
  const head = ["a day offline", "messages", "sealed MB", "arithmetic", "written MB", "arithmetic"];
  const more = ["amplification", "erased MB", "arithmetic", "erased/sealed", "marks"];
  return table(
    [...head, ...more],
    days.map((one) => {
      const { sealed, messages, written, erased } = daily(one);
      const { arithmetic } = one;
      const part = (mine: number, theirs: number) => `${mega(mine)} (x${ratio(mine / theirs)})`;
      return [
        nameOf(one),
        group(messages),
        mega(sealed),
        part(arithmetic.sealed * DAY, sealed),
        mega(written),
        part(arithmetic.written * DAY, written),
        ratio(one.amplification),
        mega(erased),
        part(arithmetic.pages * PAGE_SIZE * DAY, erased),
        ratio(one.erased),
        group((one.tally.marks * 24) / one.settings.hours),
      ];
    }),
  );
}

/** Where the written bytes go. */
export function sharesTable(days: readonly Measured[]): string {
  return table(
    [
      "of the written bytes, %",
      "messages",
      "record headers",
      "hashes",
      "CRC, filling",
      "marks",
      "page headers",
      "moved",
    ],
    days.map((one) => {
      const { tally } = one;
      const part = (bytes: number) => ((100 * bytes) / tally.written).toFixed(2);
      return [
        nameOf(one),
        part(tally.sealed),
        part(tally.headers),
        part(tally.extras),
        part(tally.ends),
        part(tally.markBytes),
        part(tally.pages),
        part(tally.moved),
      ];
    }),
  );
}

export function evictingTable(days: readonly Measured[]): string {
  return table(
    [
      "a log that is too small",
      "pages",
      "amplification",
      "erasures least",
      "mean",
      "most",
      "pages that stay",
      "holds, s",
      "birth promises, s",
      "as seen, s",
      'writes of "outbox"',
      "most worn page of the records",
    ],
    days.map((one) => [
      `${nameOf(one)}, ${one.settings.hours} h`,
      String(one.pages),
      ratio(one.amplification),
      String(one.wear.least),
      one.wear.mean.toFixed(1),
      String(one.wear.most),
      String(one.wear.staying),
      one.holds === null ? "all" : group(one.holds),
      group(one.promised.channels),
      group(one.promised.taken),
      group(one.storage.writes.outbox ?? 0),
      String(one.storage.most),
    ]),
  );
}

export function fortnightTable(days: readonly Measured[]): string {
  return table(
    ["two weeks of one lead in 8 GB", "sealed, GB", "in the log, GB", "% of the card", "days until full"],
    days.map((one) => {
      const { sealed, erased } = daily(one);
      return [
        nameOf(one),
        ((sealed * FORTNIGHT) / 1e9).toFixed(3),
        ((erased * FORTNIGHT) / 1e9).toFixed(3),
        ((100 * erased * FORTNIGHT) / CARD).toFixed(2),
        group(CARD / erased),
      ];
    }),
  );
}

const placeOf = ({ board, where }: Place) => `${board}: ${where}`;

/** Years until a log's pages are erased `endurance` times, while `erased` bytes a day are. */
const lasts = (place: Place, erased: number) =>
  ((place.endurance ?? 0) * (place.levelled ?? place.bytes)) / erased / 365.25;

export function wearTable(days: readonly Measured[], online: readonly Measured[]): string {
  const flash = PLACES.filter(({ endurance }) => endurance !== null);
  return table(
    ["years of wear", "cycles", ...days.map((one) => `offline: ${nameOf(one)}`), ...online.map(markColumn)],
    flash.map((place) => [
      placeOf(place),
      group(place.endurance!),
      ...days.map((one) => years(lasts(place, daily(one).erased))),
      ...online.map((one) => years(lasts(place, daily(one).written))),
    ]),
  );
}

const markColumn = ({ settings }: Measured) => `online, marks every ${settings.markEvery / 1000} s`;

export function onlineTable(days: readonly Measured[]): string {
  return table(
    ["online, writeAfter 30 s", "messages written", "marks a day", "bytes a day", "writes of the records a day"],
    days.map((one) => {
      const times = 24 / one.settings.hours;
      const writes = Object.values(one.storage.writes).reduce((sum, count) => sum + count, 0);
      return [
        `${nameOf(one)}, ${markColumn(one)}`,
        group(one.tally.messages),
        group(one.tally.marks * times),
        group(one.tally.written * times),
        group(writes * times),
      ];
    }),
  );
}

const long = (seconds: number): string => {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  if (seconds < 200 * 3600) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / DAY).toFixed(0)} d`;
};

/** How long each place holds all that a board sends. */
export function hoursTable(days: readonly Measured[]): string {
  const columns = days.flatMap((one) => {
    const own = { name: nameOf(one), sealed: daily(one).sealed / DAY, taken: taken(one) };
    if (one.settings.profile !== "full" || one.settings.mode !== "mac") return [own];
    return [own, { name: `vitals, ${one.settings.packet.period / 1000} s, mac`, ...vitalsOf(one) }];
  });
  const holds = (place: Place, column: (typeof columns)[number]) =>
    place.pageSize === null
      ? long(place.bytes / column.sealed)
      : place.bytes / place.pageSize < LEAST_PAGES
        ? "no log"
        : long((place.bytes - IDLE_PAGES * place.pageSize) / column.taken);
  return table(
    ["holds while offline", "bytes", ...columns.map(({ name }) => name)],
    PLACES.map((place) => [placeOf(place), group(place.bytes), ...columns.map((column) => holds(place, column))]),
  );
}

export function sourcesList(): string {
  return [...new Set(PLACES.flatMap(({ source }) => (source === "" ? [] : [`- ${source}`]))), ""].join("\n");
}

/** All tables that these days give. */
export function report(days: readonly Measured[]): string {
  const online = days.filter(({ settings }) => settings.writeAfter > 0);
  const offline = days.filter(({ settings }) => settings.writeAfter === 0);
  const whole = offline.filter(({ holds }) => holds === null);
  const short = offline.filter(({ holds }) => holds !== null);
  const leads = whole.filter(({ settings }) => settings.profile === "lead");
  const parts = [
    whole.length > 0 && [measuredTable(whole), sharesTable(whole)],
    short.length > 0 && [evictingTable(short)],
    online.length > 0 && [onlineTable(online)],
    leads.length > 0 && [fortnightTable(leads)],
    whole.length > 0 && [wearTable(whole, online), sourcesList(), hoursTable(whole)],
  ];
  return parts.flatMap((part) => part || []).join("\n");
}
