/**
 * The pages of the outbox's log: which are clean, which are in use by which stream, how often each was erased. Small arrays,
 * for a board's memory. Device side.
 */
import type { Flash } from "../../boards/board.ts";
import { DONE_AT, PAGE_HEADER, readPageHeader, readyHeader, USE_AT, useHeader } from "./format.ts";

/** To be erased before it can be used. */
export const DIRTY = 0;
/** Erased, its header says how often. */
export const CLEAN = 1;
export const USED = 2;

export interface Pages {
  readonly count: number;
  /** Bytes of a page. */
  readonly size: number;
  /** DIRTY, CLEAN or USED, of each page. */
  readonly state: Uint8Array;
  /** Of used pages: WAVES or REST. */
  readonly stream: Uint8Array;
  /** Of used pages: rises in the order in which they were taken. */
  readonly order: Uint32Array;
  readonly erasures: Uint32Array;
  /** Of used pages: where the next record goes. */
  readonly end: Uint32Array;
  /** Messages in it that nobody has settled. */
  readonly live: Uint32Array;
  /** The seqs of those, of whatever boots, lie between these: most pages need not be read to find one. */
  readonly lowest: Uint32Array;
  readonly highest: Uint32Array;
  /** How many are clean. */
  readonly clean: number;
  /** The page in this state that was erased least often; -1: none. */
  leastWorn(state: number): number;
  /** The used page of this stream with the lowest order above `after` (-1: any), where `live` asks for one with messages; -1: none. */
  oldest(stream: number, after: number, live: boolean): number;
  erase(page: number): void;
  /** Says in an erased page that it is; then it is clean. */
  ready(page: number): void;
  /** Counts a message with this seq as in it. */
  add(page: number, seq: number): void;
  /** Takes a clean page into use. */
  use(page: number, stream: number): void;
  /** Says in a used page that nothing in it is needed; then it is dirty. */
  done(page: number): void;
}

/** Reads the page headers. Throws Error where the flash is too small for a log. */
export function openPages(flash: Flash): Pages {
  const count = flash.pages;
  const size = flash.pageSize;
  const state = new Uint8Array(count);
  const stream = new Uint8Array(count);
  const order = new Uint32Array(count);
  const erasures = new Uint32Array(count);
  const end = new Uint32Array(count);
  const live = new Uint32Array(count);
  const lowest = new Uint32Array(count);
  const highest = new Uint32Array(count);
  const unknown: number[] = [];
  let newest = 0;
  let most = 0;
  let clean = 0;

  for (let page = 0; page < count; page++) {
    const header = readPageHeader(flash.read(page * size, PAGE_HEADER));
    if (header === null) {
      unknown.push(page);
      continue;
    }
    erasures[page] = header.erasures;
    most = Math.max(most, header.erasures);
    if (header.use === null) {
      state[page] = CLEAN;
      clean++;
    } else if (!header.done) {
      state[page] = USED;
      stream[page] = header.use.stream;
      order[page] = header.use.order;
      end[page] = PAGE_HEADER;
      newest = Math.max(newest, header.use.order);
    }
  }
  // the count went with the power, around an erasure: none was erased more often
  for (let i = 0; i < unknown.length; i++) erasures[unknown[i]] = most;

  return {
    count: count,
    size: size,
    state: state,
    stream: stream,
    order: order,
    erasures: erasures,
    end: end,
    live: live,
    lowest: lowest,
    highest: highest,
    get clean() {
      return clean;
    },
    leastWorn(wanted) {
      let found = -1;
      for (let page = 0; page < count; page++) {
        if (state[page] === wanted && (found < 0 || erasures[page] < erasures[found])) found = page;
      }
      return found;
    },
    oldest(wanted, after, needed) {
      let found = -1;
      for (let page = 0; page < count; page++) {
        if (state[page] !== USED || stream[page] !== wanted || order[page] <= after) continue;
        if (needed && live[page] === 0) continue;
        if (found < 0 || order[page] < order[found]) found = page;
      }
      return found;
    },
    erase(page) {
      state[page] = DIRTY;
      flash.erase(page);
    },
    ready(page) {
      erasures[page]++;
      flash.write(page * size, readyHeader(erasures[page]));
      state[page] = CLEAN;
      clean++;
    },
    add(page, seq) {
      const one = live[page]++ === 0;
      lowest[page] = one ? seq : Math.min(lowest[page], seq);
      highest[page] = one ? seq : Math.max(highest[page], seq);
    },
    use(page, wanted) {
      newest++;
      flash.write(page * size + USE_AT, useHeader(newest, wanted));
      state[page] = USED;
      clean--;
      stream[page] = wanted;
      order[page] = newest;
      end[page] = PAGE_HEADER;
      live[page] = 0;
    },
    done(page) {
      state[page] = DIRTY;
      flash.write(page * size + DONE_AT, new Uint8Array(4));
    },
  };
}
