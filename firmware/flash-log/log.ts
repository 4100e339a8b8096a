/**
 * A log of sealed messages in flash: appended in slices, so that a board that samples is never held for longer than one small
 * write or one erasure; settled one by one; when it is full the oldest waveforms go first. What the power cut in the middle
 * is found and skipped. Device side.
 */
import type { Flash } from "../../boards/board.ts";
import {
  MARK,
  PAGE_HEADER,
  RECORD_HEADER,
  REST,
  type RecordHeader,
  recordBody,
  recordHeader,
  sizeOf,
  WAVES,
} from "./format.ts";
import { CLEAN, DIRTY, openPages, type Pages, USED } from "./pages.ts";
import { createQueue } from "./queue.ts";
import { type Address, createRecords, type Extras, type Found, type Records } from "./records.ts";

export type { Address, Found };

/** Bytes written at once. */
const SLICE = 256;
/** Clean pages that are kept ready: one for what is new, one for what moves when a page is given up. */
export const RESERVE = 2;
/** Fewest pages: one open for each stream, the reserve, two to take turns. */
const LEAST_PAGES = 6;

export interface LogMessage extends Extras {
  /** 1..6. */
  readonly kind: number;
  readonly boot: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
}

export interface FlashLogOptions {
  readonly flash: Flash;
  /** Calls back in a later turn; as Board.timer. */
  readonly timer: (ms: number, callback: () => void) => () => void;
  /** Board time, tenths of a second since boot. */
  readonly now: () => number;
  /** WAVES or REST. */
  readonly streamOf: (kind: number) => number;
  /** Is this message to be kept when its page is given up? It is written again elsewhere. */
  readonly keeps: (header: RecordHeader) => boolean;
  /** Every whole record that is there at the beginning, marks too. */
  readonly onFound: (found: Found) => void;
  /** Messages that are about to be erased unsettled: what is to be remembered of them must be durable when this returns. */
  readonly onEvicted: (gone: readonly Found[]) => void;
  /** A message that `keeps` lies elsewhere now. */
  readonly onMoved: (from: Address, to: Address) => void;
  /** The flash does not do what it is told: nothing more is written. */
  readonly onFailed: (error: Error) => void;
}

export interface FlashLog
  extends Pick<
    Records,
    "read" | "extras" | "next" | "lowest" | "each" | "isLive" | "isSent" | "setSent" | "forgetSent"
  > {
  readonly pages: Pages;
  /** Messages that are not settled. */
  readonly live: number;
  /** Nothing waits to be written. */
  readonly idle: boolean;
  /** Writes it in its turn, unless `wanted` says no when the turn comes; `done`: it is durable. `tells` is 127 bytes at most. */
  append(message: LogMessage, wanted: () => boolean, done: (address: Address) => void): void;
  /** Notes in its turn that the board is alive, and from which seq on its messages are in neither log nor store. */
  mark(boot: number, seq: number): void;
  settle(address: Address): void;
  /** The buffers of the chips are empty: the moment to be held for the time of an erasure. */
  calm(): void;
}

/** Opens what is there, and repairs nothing before it has to. Throws Error where the flash is too small. */
export function openFlashLog(options: FlashLogOptions): FlashLog {
  const flash = options.flash;
  const size = flash.pageSize;
  if (flash.pages < LEAST_PAGES)
    throw new Error(`outbox: a log in ${flash.pages} pages of flash; it needs ${LEAST_PAGES} at least`);
  const pages = openPages(flash);
  const records = createRecords(flash, pages);
  /** Page that a stream is written to; -1: none. */
  const open = [-1, -1];
  let live = 0;
  const queue = createQueue({
    timer: options.timer,
    isPressed: () => pages.clean < RESERVE,
    relieve: () => reclaim(),
    onFailed: options.onFailed,
  });

  const isDone = (page: number): boolean =>
    pages.state[page] === USED && pages.live[page] === 0 && page !== open[WAVES] && page !== open[REST];
  /** Where nothing in a page is needed any more, it says so: another boot need not read it. */
  const finish = (page: number): void => {
    if (!isDone(page)) return;
    queue.add(() => {
      if (isDone(page)) queue.first([() => pages.done(page)]);
    });
  };
  const settle = (address: Address): void => {
    if (records.isSettled(address)) return;
    records.setSettled(address);
    const page = records.pageOf(address);
    pages.live[page]--;
    live--;
    finish(page);
  };

  /** The page that is to be given up: the oldest of the waveforms, else of the rest; never one that is being filled. */
  const victim = (): number => {
    for (let stream = WAVES; stream <= REST; stream++) {
      let page = pages.oldest(stream, -1, false);
      if (page === open[stream] && page >= 0) page = pages.oldest(stream, pages.order[page], false);
      if (page >= 0) return page;
    }
    throw new Error("outbox: no page of the flash can be given up");
  };
  const hasRoom = (stream: number, needed: number): boolean =>
    (open[stream] >= 0 && pages.end[open[stream]] + needed <= size) || pages.clean > 0;
  const recycle = (page: number): void => {
    records.forget(page);
    queue.first(queue.holding(() => pages.erase(page)).concat([() => pages.ready(page)]));
  };
  /** Makes one clean page. What is to be kept of a page is written elsewhere before the rest is told and erased. */
  const reclaim = (): void => {
    const dirty = pages.leastWorn(DIRTY);
    if (dirty >= 0) {
      recycle(dirty);
      return;
    }
    const page = victim();
    const gone: Found[] = [];
    const steps: (() => void)[] = [];
    // half a page: giving one up must win something
    let room = size / 2;
    const keep = (found: Found): void => {
      steps.push(() => {
        const bytes = records.isLive(found) ? records.body(found) : null;
        if (bytes === null || !hasRoom(REST, sizeOf(found.header.length))) gone.push(found);
        else
          write(found.header, bytes, (address) => {
            if (records.isLive(found)) options.onMoved(found.address, address);
            else settle(address);
          });
      });
    };
    records.scan(page, PAGE_HEADER, (found) => {
      if (!records.isLive(found)) return true;
      const needed = sizeOf(found.header.length);
      if (needed <= room && options.keeps(found.header)) {
        keep(found);
        room -= needed;
      } else gone.push(found);
      return true;
    });
    steps.push(() => {
      const lost = gone.filter(records.isLive);
      if (lost.length > 0) options.onEvicted(lost);
      live -= pages.live[page];
      pages.live[page] = 0;
      pages.state[page] = DIRTY;
      recycle(page);
    });
    queue.first(steps);
  };

  /** One record, where there is room now. `bytes`: as recordBody makes them; null for a mark. */
  const write = (header: RecordHeader, bytes: Uint8Array | null, done: ((address: Address) => void) | null): void => {
    const stream = header.kind === MARK ? REST : options.streamOf(header.kind);
    const needed = sizeOf(header.length);
    const page = open[stream];
    if (page < 0 || pages.end[page] + needed > size) {
      const again = (): void => write(header, bytes, done);
      const clean = pages.leastWorn(CLEAN);
      const take = (): void => {
        open[stream] = clean;
        pages.use(clean, stream);
        if (page >= 0) finish(page);
      };
      queue.first([clean < 0 ? reclaim : take, again]);
      return;
    }
    const offset = pages.end[page];
    const address = page * size + offset;
    const slices: (() => void)[] = [
      () => {
        // from here on these bytes are not erased, whatever comes
        pages.end[page] = offset + needed;
        flash.write(address, recordHeader(Object.assign({}, header, { at: options.now() })));
      },
    ];
    const slice = (whole: Uint8Array, from: number): void => {
      const until = Math.min(whole.length, from + SLICE);
      slices.push(() => {
        flash.write(address + RECORD_HEADER + from, whole.subarray(from, until));
        if (until < whole.length) return;
        flash.sync();
        pages.add(page, header.seq);
        live++;
        if (done !== null) done(address);
      });
    };
    if (bytes !== null) for (let from = 0; from < bytes.length; from += SLICE) slice(bytes, from);
    queue.first(slices);
  };

  const lookInto = (page: number): void => {
    pages.end[page] = records.scan(page, PAGE_HEADER, (found) => {
      if (found.header.kind !== MARK) pages.add(page, found.header.seq);
      options.onFound(found);
      return true;
    });
    live += pages.live[page];
    const stream = pages.stream[page];
    if (open[stream] < 0 || pages.order[page] > pages.order[open[stream]]) open[stream] = page;
  };
  for (let page = 0; page < pages.count; page++) if (pages.state[page] === USED) lookInto(page);
  for (let page = 0; page < pages.count; page++) finish(page);
  queue.wake();

  return {
    pages: pages,
    get live() {
      return live;
    },
    get idle() {
      return queue.idle;
    },
    append(message, wanted, done) {
      const parts: Uint8Array[] = [];
      if (message.hash !== null) parts.push(message.hash);
      if (message.tells !== null) parts.push(message.tells);
      parts.push(message.bytes);
      const extras = (message.hash === null ? 0 : 1) + 2 * (message.tells === null ? 0 : message.tells.length);
      let length = 0;
      for (let i = 0; i < parts.length; i++) length += parts[i].length;
      if (PAGE_HEADER + sizeOf(length) > size)
        throw new Error(
          `outbox: a message of ${message.bytes.length} bytes for flash pages of ${size}; take larger pages`,
        );
      const header = {
        kind: message.kind,
        extras: extras,
        length: length,
        boot: message.boot,
        seq: message.seq,
        at: 0,
      };
      queue.add(() => {
        if (wanted()) write(header, recordBody(parts), done);
      });
    },
    mark(boot, seq) {
      queue.add(() => write({ kind: MARK, extras: 0, length: 0, boot: boot, seq: seq, at: 0 }, null, null));
    },
    settle: settle,
    calm: queue.calm,
    read: records.read,
    extras: records.extras,
    next: records.next,
    lowest: records.lowest,
    each: records.each,
    isLive: records.isLive,
    isSent: records.isSent,
    setSent: records.setSent,
    forgetSent: records.forgetSent,
  };
}
