/** Where an outbox's log may lie on which board, how large that is, and how often its flash can be erased. */

export interface Place {
  readonly board: string;
  readonly where: string;
  /** Of a log in flash; null: messages wait in RAM alone. */
  readonly pageSize: number | null;
  /** For the outbox. */
  readonly bytes: number;
  /** Erasures that a page survives; null: RAM. */
  readonly endurance: number | null;
  readonly source: string;
  /** What levels its wear itself spreads it over so many bytes; absent: over `bytes`. */
  readonly levelled?: number;
}

/** Of the interpreter's files 25 % stay free, and a bundle of about 100 kB lies among them (the boards' budget). */
const FREE = 0.75;
const BUNDLE = 100_000;
const KIB = 1024;
const PAGE = 4096;

const pagesIn = (bytes: number, page: number): number => Math.max(0, Math.floor(bytes / page) * page);

const NOR = "100,000: W25Q32JV and the like, datasheet, Features: at least 100,000 program-erase cycles a sector";
const PUYA =
  "100,000: P25Q16H, datasheet, Performance Highlight: 100K cycling (read of its sister P25Q16SH; to be checked)";
const NRF52 =
  "10,000: nRF52832 Product Specification, Absolute Maximum Ratings, flash endurance (read in Nordic's forum; to be checked)";
const STM32 = "10,000: STM32F401/F411 datasheet, Flash memory endurance N_END (to be checked)";
const CARD = "3,000: an ASSUMPTION, TLC class; the card levels its wear itself, and may write more than it is given";

const card = { pageSize: PAGE, endurance: 3000, source: CARD, levelled: 8e9 };

export const PLACES: readonly Place[] = [
  {
    board: "ESP32, ESP32-C3, -S3",
    where: "what Espruino's files leave of 896 KiB",
    pageSize: PAGE,
    bytes: pagesIn(896 * KIB * FREE - BUNDLE, PAGE),
    endurance: 100_000,
    source: NOR,
  },
  {
    board: "ESP32",
    where: "16 pages at 0x310000, 3 of them for records",
    pageSize: PAGE,
    bytes: 13 * PAGE,
    endurance: 100_000,
    source: NOR,
  },
  {
    board: "XIAO BLE (nRF52840)",
    where: "what Espruino's files leave of 2 MiB of QSPI NOR",
    pageSize: PAGE,
    bytes: pagesIn(2048 * KIB * FREE - BUNDLE, PAGE),
    endurance: 100_000,
    source: PUYA,
  },
  {
    board: "Puck.js, MDBT42Q (nRF52832)",
    where: "40 KiB of internal flash less 25 %, if the bundle lies elsewhere",
    pageSize: PAGE,
    bytes: pagesIn(40 * KIB * FREE, PAGE),
    endurance: 10_000,
    source: NRF52,
  },
  {
    board: "nRF52840, internal flash",
    where: "a custom build's 256 KiB",
    pageSize: PAGE,
    bytes: 256 * KIB,
    endurance: 10_000,
    source: NRF52,
  },
  {
    board: "Espruino WiFi (STM32F411)",
    where: "3 pages of 16 KiB at 0x08004000: a log needs six; wear alone",
    pageSize: 16 * KIB,
    bytes: 48 * KIB,
    endurance: 10_000,
    source: STM32,
  },
  {
    board: "Espruino WiFi (STM32F411), Pico (STM32F401)",
    where: "RAM, 16 KiB",
    pageSize: null,
    bytes: 16 * KIB,
    endurance: null,
    source: "",
  },
  {
    board: "Puck.js, MDBT42Q",
    where: "RAM, 4 KiB",
    pageSize: null,
    bytes: 4 * KIB,
    endurance: null,
    source: "",
  },
  { board: "simulated board", where: "RAM, 1 MiB", pageSize: null, bytes: KIB * KIB, endurance: null, source: "" },
  { board: "a host", where: "a file of 16 MiB on an 8 GB card", bytes: 16 * KIB * KIB, ...card },
  { board: "a host", where: "a file of 1 GiB on an 8 GB card", bytes: KIB ** 3, ...card },
  { board: "a host", where: "an 8 GB card", bytes: 8e9, ...card },
];
