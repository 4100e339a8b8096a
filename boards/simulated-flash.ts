/**
 * Flash memory in virtual time: the physics of NOR flash, held strictly, with power that can go within any operation, wear that
 * is counted and bits that rot. What misuses it is a bug of the caller, and an Error here as it would be lost data on silicon.
 */
import type { Flash } from "./board.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What the operations take, us. */
export interface FlashTimings {
  /** A read call, whatever its length. */
  readonly read: number;
  /** More for each byte of it. */
  readonly readByte: number;
  /** A write call, whatever its length. */
  readonly write: number;
  /** More for each word of 4 bytes. */
  readonly writeWord: number;
  /** An erasure of one page. */
  readonly erase: number;
}

/**
 * Internal flash of an nRF52840, pages of 4096 bytes: a word of 32 bits at most 41 us, a page at most 85 ms (nRF52840 Product
 * Specification, NVMC: tWRITE, tERASEPAGE). Read in place: a wait state or two of 64 MHz for each word.
 */
export const INTERNAL_FLASH: FlashTimings = { read: 0, readByte: 0.012, write: 0, writeWord: 41, erase: 85_000 };

/**
 * SPI NOR flash as beside an ESP32, sectors of 4096 bytes, typical: 256 bytes in 0.4 ms of which the first takes 30 us, a
 * sector in 45 ms (W25Q32JV datasheet, AC Electrical Characteristics: tPP, tBP1, tSE; at most 3 ms and 400 ms). Read by one
 * line at 40 MHz: a command of 5 bytes, then 8 bits a byte; that line's share of a write is within the 0.4 ms.
 */
export const SPI_FLASH: FlashTimings = { read: 1, readByte: 0.2, write: 30, writeWord: 5.8, erase: 45_000 };

/** What an operation that the power goes within leaves of its effect. */
export type Leaves = "nothing" | "part" | "all";

/** The power went within this call, or is off. */
export class PowerCut extends Error {}

export interface SimulatedFlashOptions {
  /** Bytes: a multiple of 4. */
  readonly pageSize: number;
  readonly pages: number;
  /** Default: INTERNAL_FLASH. */
  readonly timings?: FlashTimings;
  /** Told how long the caller is held by each call, us: a simulated board stalls by it. Default: nobody is. */
  readonly spend?: (us: number) => void;
  /** In [0, 1): what a torn operation leaves. Needed only where `cutAfter` leaves that open, or to "part". */
  readonly random?: () => number;
}

/** All that a flash holds and has counted. */
export interface FlashSnapshot {
  readonly bytes: Uint8Array;
  readonly written: Uint8Array;
  readonly wear: readonly number[];
  readonly operations: number;
  readonly bytesWritten: number;
  readonly busy: number;
}

export interface SimulatedFlash extends Flash {
  /** Writes and erasures so far, the torn ones too. */
  readonly operations: number;
  /** Bytes handed to writes that were not torn. */
  readonly bytesWritten: number;
  /** Erasures of each page, the torn ones too. */
  readonly wear: readonly number[];
  /** What all calls took, us. */
  readonly busy: number;
  /**
   * The power goes within the write or erasure that comes after so many more (0: within the next one). That call leaves
   * `leaves` of its effect (not given: `random` says which) and throws PowerCut, as does every call until `powerOn`. A part of
   * a write is its first words, and of the word after them some bits; a part of an erasure is any bits between what stood
   * there and erased: the page must be erased again before it is written. null: the power stays.
   */
  cutAfter(operations: number | null, leaves?: Leaves): void;
  /** The power goes between two operations. */
  powerOff(): void;
  powerOn(): void;
  /** A copy of all of it. */
  snapshot(): FlashSnapshot;
  /** Back to that, with the power on and no cut ahead. Throws Error for one of another geometry. */
  restore(snapshot: FlashSnapshot): void;
  /** Bit rot: flips the bits of `mask` in the byte at `address`. */
  damage(address: number, mask: number): void;
}

const ERASED = 0xff;

/** Erased flash with the power on. Throws Error where a page is not a positive multiple of 4 bytes, or there is no page. */
export function createSimulatedFlash(options: SimulatedFlashOptions): SimulatedFlash {
  const { pageSize, pages, timings = INTERNAL_FLASH, spend = () => {} } = options;
  if (!(Number.isInteger(pageSize) && pageSize > 0 && pageSize % 4 === 0))
    throw new Error(`simulated flash: pages of ${pageSize} bytes; a page is a positive multiple of 4`);
  if (!(Number.isInteger(pages) && pages > 0)) throw new Error(`simulated flash: ${pages} pages; give at least one`);
  const bytes = new Uint8Array(pageSize * pages).fill(ERASED);
  /** 1 for each word that was written since its page was erased. */
  const written = new Uint8Array(bytes.length / 4);
  let wear = new Array<number>(pages).fill(0);
  let operations = 0;
  let bytesWritten = 0;
  let busy = 0;
  let powered = true;
  let cut: { at: number; leaves: Leaves | null } | null = null;

  const takes = (us: number) => {
    busy += us;
    spend(us);
  };
  const requirePower = () => {
    if (!powered) throw new PowerCut("simulated flash: the power is off");
  };
  const requireRange = (what: string, address: number, length: number) => {
    if (!(Number.isInteger(address) && address >= 0 && address + length <= bytes.length))
      throw new Error(`simulated flash: ${what} ${length} bytes at ${address}; it has ${bytes.length}`);
  };
  const random = () => {
    if (options.random === undefined)
      throw new Error(
        "simulated flash: what a torn operation leaves needs `random`; give it, or cut to nothing or all",
      );
    return options.random();
  };

  /** Counts an operation; what the power that goes within it leaves, null: the power stays. */
  const begin = (): Leaves | null => {
    operations++;
    if (cut === null || cut.at-- > 0) return null;
    const leaves = cut.leaves ?? (["nothing", "part", "all"] as const)[Math.floor(random() * 3)];
    cut = null;
    powered = false;
    return leaves;
  };
  /** Bits between before and after, each one of the two. */
  const between = (before: number, after: number) => {
    let mixed = 0;
    for (let bit = 1; bit <= 0x80; bit <<= 1) mixed |= (random() < 0.5 ? before : after) & bit;
    return mixed;
  };

  const program = (address: number, values: Uint8Array) => {
    // A bit that rotted to 0 does not become 1 by writing.
    for (let i = 0; i < values.length; i++) bytes[address + i] &= values[i];
    written.fill(1, address / 4, (address + values.length) / 4);
  };
  const programPart = (address: number, values: Uint8Array) => {
    const whole = Math.floor((random() * values.length) / 4) * 4;
    program(address, values.subarray(0, whole));
    const last = values.subarray(whole, whole + 4).map((value) => between(ERASED, value));
    // A word that none of the bits of got through is as good as never written: nobody can tell.
    if (last.some((value) => value !== ERASED)) program(address + whole, last);
  };
  const erasePart = (page: Uint8Array, words: Uint8Array) => {
    for (let i = 0; i < page.length; i++) page[i] = between(page[i], ERASED);
    words.fill(page.every((value) => value === ERASED) ? 0 : 1);
  };

  return {
    pageSize,
    pages,
    get operations() {
      return operations;
    },
    get bytesWritten() {
      return bytesWritten;
    },
    get wear() {
      return wear.slice();
    },
    get busy() {
      return busy;
    },
    read(address, length) {
      requirePower();
      if (!(Number.isInteger(length) && length >= 0))
        throw new Error(`simulated flash: a read of ${length} bytes; give a count`);
      requireRange("read", address, length);
      takes(timings.read + timings.readByte * length);
      return bytes.slice(address, address + length);
    },
    write(address, values) {
      requirePower();
      requireRange("write", address, values.length);
      if (address % 4 !== 0 || values.length % 4 !== 0)
        throw new Error(`simulated flash: write ${values.length} bytes at ${address}; both are multiples of 4`);
      if (values.length === 0) return;
      const page = Math.floor(address / pageSize);
      if (address + values.length > (page + 1) * pageSize)
        throw new Error(`simulated flash: write ${values.length} bytes at ${address}, over the end of page ${page}`);
      const again = written.subarray(address / 4, (address + values.length) / 4).indexOf(1);
      if (again >= 0)
        throw new Error(`simulated flash: byte ${address + 4 * again} was written before; erase page ${page} first`);
      const leaves = begin();
      if (leaves === null || leaves === "all") program(address, values);
      else if (leaves === "part") programPart(address, values);
      if (leaves !== null)
        throw new PowerCut(`simulated flash: the power went within a write at ${address} (${leaves} of it is there)`);
      bytesWritten += values.length;
      takes(timings.write + (timings.writeWord * values.length) / 4);
    },
    erase(page) {
      requirePower();
      if (!(Number.isInteger(page) && page >= 0 && page < pages))
        throw new Error(`simulated flash: erase page ${page}; it has ${pages}`);
      const leaves = begin();
      wear[page]++;
      const there = bytes.subarray(page * pageSize, (page + 1) * pageSize);
      const words = written.subarray((page * pageSize) / 4, ((page + 1) * pageSize) / 4);
      if (leaves === "part") erasePart(there, words);
      else if (leaves !== "nothing") {
        there.fill(ERASED);
        words.fill(0);
      }
      if (leaves !== null)
        throw new PowerCut(
          `simulated flash: the power went within the erasure of page ${page} (${leaves} of it is done)`,
        );
      takes(timings.erase);
    },
    sync: requirePower,
    cutAfter(after, leaves) {
      cut = after === null ? null : { at: after, leaves: leaves ?? null };
    },
    powerOff() {
      powered = false;
      cut = null;
    },
    powerOn() {
      powered = true;
    },
    snapshot: () => ({
      bytes: bytes.slice(),
      written: written.slice(),
      wear: wear.slice(),
      operations,
      bytesWritten,
      busy,
    }),
    restore(snapshot) {
      if (snapshot.bytes.length !== bytes.length || snapshot.wear.length !== pages)
        throw new Error(`simulated flash: a snapshot of ${snapshot.wear.length} pages, ${snapshot.bytes.length} bytes`);
      bytes.set(snapshot.bytes);
      written.set(snapshot.written);
      wear = snapshot.wear.slice();
      ({ operations, bytesWritten, busy } = snapshot);
      powered = true;
      cut = null;
    },
    damage(address, mask) {
      requireRange("damage", address, 1);
      bytes[address] ^= mask;
    },
  };
}

/**
 * For `spend`: what runs on a board is held up by its flash, and all that one moment of the clock asks of it comes one after
 * the other. `stall`: the board's, ms.
 */
export function holdUp(clock: Pick<VirtualClock, "now">, stall: (ms: number) => void): (us: number) => void {
  let at = -1;
  let spent = 0;
  return (us) => {
    if (clock.now !== at) spent = 0;
    at = clock.now;
    spent += us;
    stall(spent / 1000);
  };
}
