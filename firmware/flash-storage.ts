/**
 * Storage on flash: a log of versions on one page, the newest of a name counts. What does not fit on the page any more is
 * begun anew on the next one: the newest of each name is copied there, and its header, written last, makes it the current page.
 * A page is erased just before it is used, so none that an erasure was cut short on is ever trusted. Device side.
 *
 * What a power cut leaves and what rot does must not be taken for one another: a boot number that falls back is a disaster.
 * So a write that another one relies on is one of its own, and synced. A record is three: its head; its name, its value and
 * their checks; its mark. A last record without its mark was cut short, and is skipped where it is not whole; any other that is
 * not whole is damage. So it is with pages, which get their mark when the next one has become the current one. The bytes:
 * firmware/flash-record.ts.
 */
import type { Flash, Storage } from "../boards/board.ts";
import { equalBytes } from "../protocol/constant-time.ts";
import { crc32 } from "../protocol/crc32.ts";
import { utf8Length } from "../protocol/utf8.ts";
import { isErased } from "./flash-bytes.ts";
import {
  type Crc,
  encodeHeader,
  encodeRecord,
  erasuresIn,
  headerSize,
  keyIn,
  MARK_BYTES,
  mark,
  nameIn,
  RECORD_HEAD,
  recordSize,
  sizeIn,
  turnIn,
  valueIn,
} from "./flash-record.ts";

export interface FlashStorage extends Storage {
  /** Erasures of each page; kept over a power cut, but for that of a page turn which it came into. */
  readonly wear: readonly number[];
}

/** Bytes of the longest name, of the longest value. */
const MAX_NAME = 32;
const MAX_VALUE = 65535;
const NOT_OURS = "flash storage: no page has a storage's header, and it is not erased: damaged, or never a storage";

/** The newest of a name. */
interface Live {
  readonly name: string;
  /** What tells it from other names in a record's head. */
  readonly key: number;
  /** From the flash's start. */
  at: number;
  size: number;
}

/**
 * Opens what stands on `flash`, or begins there where it is erased; 2 pages at least. One page holds the newest of every name:
 * each takes 20 bytes more than its name and its value, both filled to a multiple of 4. `crc`: a native CRC-32, where there is
 * one.
 *
 * A write blocks for three short writes, at a page turn for an erasure and a copy; writing what is there already does nothing.
 * `read` and `write` throw Error where what is newest cannot be known; `read` where that value is damaged, which writing it
 * mends; `write` where a name has not 1 to 32 bytes, or where the value does not fit beside the others: then all stands as
 * before, as where the flash does not keep what is written to it. Throws Error at once where the flash is neither erased nor a storage.
 */
export function createFlashStorage(flash: Flash, crc?: Crc): FlashStorage {
  const check: Crc = crc === undefined ? crc32 : crc;
  const pageSize = flash.pageSize;
  const pages = flash.pages;
  const claims = headerSize(pages);
  /** Where a page's records begin: behind its header and its mark. */
  const start = claims + MARK_BYTES;
  if (pages < 2 || start + recordSize(MAX_NAME, 0) > pageSize)
    throw new Error(`flash storage: ${pages} pages of ${pageSize} bytes; it needs 2, and room behind their headers`);
  let wear: number[] = [];
  for (let i = 0; i < pages; i++) wear.push(0);
  let live: Live[] = [];
  /** The current page, -1: none yet; the number of its turn; where it is erased from on. */
  let page = -1;
  let turns = 0;
  let end = 0;
  /** Nothing may be written behind what stands on the page: the next write turns it. */
  let spoiled = false;
  /** Why what is newest is not known; null: it is. */
  let damage: string | null = null;

  const find = (name: string): Live | null => {
    for (let i = 0; i < live.length; i++) if (live[i].name === name) return live[i];
    return null;
  };
  const findKey = (key: number): Live | null => {
    for (let i = 0; i < live.length; i++) if (live[i].key === key) return live[i];
    return null;
  };
  const keep = (name: string, key: number, size: number): void => {
    const known = findKey(key);
    if (known === null) live.push({ name: name, key: key, at: end, size: size });
    else {
      known.at = end;
      known.size = size;
    }
    end += size;
  };
  const valueAt = (record: Live): Uint8Array | null => valueIn(flash.read(record.at, record.size), check);
  const requireKnown = (): void => {
    if (damage !== null)
      throw new Error(
        `flash storage: damaged, ${damage}: what is newest is not known; erase all its pages and make a new key`,
      );
  };

  /**
   * Finds the newest of each name on the current page, and its end. A board waits for it: of a record with another one behind
   * it, and of a name seen before, no more than the head is read.
   */
  const walk = (): void => {
    const limit = (page + 1) * pageSize;
    const headAt = (at: number): Uint8Array | null => {
      const head = at + RECORD_HEAD > limit ? null : flash.read(at, RECORD_HEAD);
      return head === null || isErased(head, 0, RECORD_HEAD) ? null : head;
    };
    end = page * pageSize + start;
    let head = headAt(end);
    while (head !== null) {
      const size = sizeIn(head);
      if (size === null || end + size > limit) {
        // A name has no word of ones: where it was not begun, the head was not done.
        if (end + RECORD_HEAD < limit && isErased(flash.read(end + RECORD_HEAD, 4), 0, 4)) spoiled = true;
        else damage = `the head of the record at byte ${end - page * pageSize} of page ${page}`;
        return;
      }
      const key = keyIn(head);
      const known = findKey(key);
      head = headAt(end + size);
      let name = known === null ? null : known.name;
      if (name === null || head === null) {
        const record = flash.read(end, size);
        const cut = head === null && isErased(record, size - MARK_BYTES, size);
        name = nameIn(record, check);
        if (cut && (name === null || valueIn(record, check) === null)) {
          spoiled = true;
          return;
        }
        if (name === null) {
          damage = `the name of the record at byte ${end - page * pageSize} of page ${page}`;
          return;
        }
        // It is whole: from here on it counts, whatever becomes of it.
        if (cut) flash.write(end + size - MARK_BYTES, mark());
      }
      keep(name, key, size);
    }
  };
  const open = (): void => {
    for (let i = 0; i < pages; i++) {
      const bytes = flash.read(i * pageSize, claims);
      const turn = turnIn(bytes, check);
      if (turn === null || turn < turns) continue;
      page = i;
      turns = turn;
      for (let k = 0; k < pages; k++) wear[k] = erasuresIn(bytes, k);
    }
    // Torn as the first of all, a header leaves no more than itself; all else without one is not ours to erase.
    for (let at = start; page < 0 && at < pages * pageSize; at += 256) {
      const length = Math.min(256, pages * pageSize - at);
      if (!isErased(flash.read(at, length), 0, length))
        throw new Error(`${NOT_OURS}; erase all its pages to begin, and make a new key`);
    }
    if (page < 0) return;
    const marked = (which: number): boolean =>
      !isErased(flash.read(which * pageSize + claims, MARK_BYTES), 0, MARK_BYTES);
    if (marked(page)) damage = `the header of the page that follows page ${page}`;
    else walk();
    // Cut before its mark: nothing would tell that this page has been. The next one shall be told of.
    const before = (page + pages - 1) % pages;
    if (turnIn(flash.read(before * pageSize, claims), check) === turns - 1 && !marked(before)) spoiled = true;
  };

  const erase = (which: number): number[] => {
    flash.erase(which);
    flash.sync();
    const erasures = wear.slice();
    erasures[which]++;
    return erasures;
  };
  const settle = (at: number, bytes: Uint8Array): void => {
    flash.write(at, bytes);
    flash.sync();
  };
  const isKept = (at: number, bytes: Uint8Array): boolean => equalBytes(flash.read(at, bytes.length), bytes);
  const requireKept = (at: number, bytes: Uint8Array): void => {
    if (!isKept(at, bytes))
      throw new Error(
        `flash storage: page ${Math.floor(at / pageSize)} does not keep what is written to it; what was stored before is as it was`,
      );
  };
  const settleHeader = (on: number, turn: number, erasures: readonly number[]): void => {
    const bytes = encodeHeader(turn, erasures, check);
    settle(on * pageSize, bytes);
    requireKept(on * pageSize, bytes);
  };
  /** The first page of all, empty: so a cut leaves nothing behind a header. */
  const begin = (): void => {
    const erasures = erase(0);
    settleHeader(0, 1, erasures);
    page = 0;
    turns = 1;
    end = start;
    wear = erasures;
  };
  /** false: the page does not keep it, as bits rotted where nothing stood. Without its mark it counts for nothing. */
  const append = (record: Uint8Array): boolean => {
    const marked = record.length - MARK_BYTES;
    for (let from = 0; from < marked; ) {
      const to = from === 0 ? RECORD_HEAD : marked;
      const bytes = new Uint8Array(record.subarray(from, to));
      settle(end + from, bytes);
      if (!isKept(end + from, bytes)) return false;
      from = to;
    }
    settle(end + marked, mark());
    return true;
  };
  /** Copies the newest of each name but `name` to the next page, and `record` as that one's. */
  const turnPage = (name: string, record: Uint8Array): void => {
    const before = page;
    const next = (page + 1) % pages;
    const erasures = erase(next);
    const moved: Live[] = [];
    let at = next * pageSize + start;
    const move = (as: string, bytes: Uint8Array): void => {
      // The page's header vouches for it as a mark does.
      bytes.set(mark(), bytes.length - MARK_BYTES);
      flash.write(at, bytes);
      requireKept(at, bytes);
      moved.push({ name: as, key: keyIn(bytes), at: at, size: bytes.length });
      at += bytes.length;
    };
    for (let i = 0; i < live.length; i++) {
      if (live[i].name === name) continue;
      const value = valueAt(live[i]);
      // What is damaged stays so, and is known to be.
      move(
        live[i].name,
        value === null ? flash.read(live[i].at, live[i].size) : encodeRecord(live[i].name, value, check),
      );
    }
    move(name, record);
    flash.sync();
    settleHeader(next, turns + 1, erasures);
    page = next;
    turns++;
    live = moved;
    end = at;
    wear = erasures;
    settle(before * pageSize + claims, mark());
  };

  open();
  return {
    get wear() {
      return wear.slice();
    },
    read(name) {
      requireKnown();
      const found = find(name);
      if (found === null) return undefined;
      const value = valueAt(found);
      if (value === null)
        throw new Error(
          `flash storage: record "${name}" at byte ${found.at % pageSize} of page ${page} is damaged; none older is taken for it`,
        );
      return value;
    },
    write(name, bytes) {
      requireKnown();
      const length = utf8Length(name);
      if (length < 1 || length > MAX_NAME)
        throw new Error(`flash storage: the name "${name}" has ${length} bytes; give it 1 to ${MAX_NAME}`);
      const found = find(name);
      const there = found === null ? null : valueAt(found);
      if (there !== null && equalBytes(there, bytes)) return;
      let room = pageSize - start;
      for (let i = 0; i < live.length; i++) if (live[i] !== found) room -= live[i].size;
      const size = recordSize(length, bytes.length);
      if (size > room || bytes.length > MAX_VALUE)
        throw new Error(
          `flash storage: "${name}" of ${bytes.length} bytes takes ${size}; beside the others a page of ${pageSize} has ${room}`,
        );
      const record = encodeRecord(name, bytes, check);
      const other = findKey(keyIn(record));
      if (other !== null && other !== found)
        throw new Error(`flash storage: the names "${name}" and "${other.name}" have one CRC-32; rename one`);
      if (page < 0) begin();
      const fits = !spoiled && end + size <= (page + 1) * pageSize;
      // Until it is done: what fails for another reason than the power is not to be built upon either.
      spoiled = true;
      if (fits && append(record)) keep(name, keyIn(record), size);
      else turnPage(name, record);
      spoiled = false;
    },
  };
}
