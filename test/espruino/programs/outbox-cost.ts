/** The outbox's log at work in the interpreter, timed turn by turn. Device dialect. */
import type { Flash, Storage } from "../../../boards/board.ts";
import { readRecordHeader, recordHeader } from "../../../firmware/flash-log/format.ts";
import { createOutbox, type Outbox } from "../../../firmware/outbox.ts";
import { crc32 } from "../../../protocol/crc32.ts";
import type { AckMessage } from "../../../protocol/messages.ts";
import { createStorage } from "./storage.ts";

const PAGE = 4096;
const BYTES = 600;
const CAPACITY = 8192;

type Tell = (name: string, value: number) => void;

/** Flash whose pages take memory when they are written; what it does itself is native, and takes next to nothing. */
function createFlash(count: number): Flash {
  const pages: (Uint8Array | null)[] = [];
  for (let i = 0; i < count; i++) pages.push(null);
  return {
    pageSize: PAGE,
    pages: count,
    read(address, length) {
      const page = pages[Math.floor(address / PAGE)];
      const at = address % PAGE;
      if (page === null) return new Uint8Array(length).fill(255);
      return new Uint8Array(page.subarray(at, at + length));
    },
    write(address, bytes) {
      const index = Math.floor(address / PAGE);
      let page = pages[index];
      if (page === null) {
        page = new Uint8Array(PAGE).fill(255);
        pages[index] = page;
      }
      page.set(bytes, address % PAGE);
    },
    erase(page) {
      pages[page] = null;
    },
    sync() {},
  };
}

function open(
  flash: Flash,
  storage: Storage,
  boot: number,
  timer: (ms: number, turn: () => void) => () => void,
): Outbox {
  return createOutbox({
    board: { now: () => 1000000, timer: timer, storage: storage },
    boot: boot,
    capacity: CAPACITY,
    log: { flash: flash, writeAfter: 0, markEvery: 10000 },
    onDurable: () => {},
    onFailed: (error) => {
      throw error;
    },
  });
}

/**
 * `clock`: us so far; `cpu`: of this program alone, in steps of some ms, for what takes long. Figures in us unless their name
 * says otherwise; the longest of many is their 95th percentile.
 */
export function measure(tell: Tell, clock: () => number, cpu: () => number): void {
  let turns: (() => void)[] = [];
  const timer = (ms: number, turn: () => void): (() => void) => {
    // an erasure waits for a good moment; what is not due in a second is no business of the log's
    if (ms < 1000) turns.push(turn);
    return () => {};
  };
  const hash = new Uint8Array(16).fill(7);
  const message = new Uint8Array(BYTES).fill(85);
  const middle = (name: string, values: number[]): void => {
    values.sort((a, b) => a - b);
    tell(name, values[values.length >> 1]);
  };
  const longest = (name: string, values: number[]): void => {
    values.sort((a, b) => a - b);
    tell(name, values[Math.floor((values.length * 19) / 20)]);
  };
  const timed = (action: () => void): number => {
    const from = clock();
    action();
    return clock() - from;
  };
  const long = (name: string, action: () => void): void => {
    const from = cpu();
    action();
    tell(name, cpu() - from);
  };
  const repeated = (name: string, count: number, action: (i: number) => void): void => {
    const values: number[] = [];
    for (let i = 0; i < count; i++) {
      const from = clock();
      action(i);
      values.push(clock() - from);
    }
    middle(name, values);
  };
  /** What each turn that is due takes. */
  const drain = (): number[] => {
    const values: number[] = [];
    while (turns.length > 0) values.push(timed(turns.shift()!));
    return values;
  };
  const ackOf = (boot: number, next: number): AckMessage => ({
    type: "ack",
    kid: new Uint8Array(8),
    boot: boot,
    n: 0,
    ofBoot: boot,
    next: next,
    bitmap: new Uint8Array(32).fill(170),
    refused: [],
  });
  const add = (to: Outbox, boot: number, seq: number): void => {
    to.add("data", boot, seq, new Uint8Array(message), { hash: hash });
  };
  const sumOf = (values: number[]): number => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i];
    return sum;
  };
  /** Appends messages until `to`: what add() takes, all turns of a message, and its longest turn. */
  const append = (name: string, outbox: Outbox, from: number, to: number): void => {
    const adding: number[] = [];
    const all: number[] = [];
    const most: number[] = [];
    for (let seq = from; seq < to; seq++) {
      const begin = clock();
      add(outbox, 1, seq);
      adding.push(clock() - begin);
      const values = drain();
      all.push(sumOf(values));
      let max = 0;
      for (let i = 0; i < values.length; i++) max = Math.max(max, values[i]);
      most.push(max);
    }
    middle(`${name}: add()`, adding);
    middle(`${name}: all turns`, all);
    middle(`${name}: longest turn of a message`, most);
    longest(`${name}: longest turn of all`, most);
  };

  repeated("CRC-32 of 616 bytes", 15, () => crc32(new Uint8Array(616)));
  const header = { kind: 1, extras: 1, length: 616, boot: 1, seq: 9, at: 99 };
  repeated("a record's header made", 15, () => recordHeader(header));
  const written = recordHeader(header);
  repeated("a record's header read", 15, () => readRecordHeader(written));

  const flash = createFlash(64);
  const storage = createStorage();
  const one = open(flash, storage, 1, timer);
  drain();
  append("append, 64 pages", one, 0, 60);
  const acks: number[] = [];
  for (let i = 0; i < 10; i++) {
    const begin = clock();
    one.settle(ackOf(1, 40 + i));
    acks.push(clock() - begin);
    drain();
  }
  middle("ack that frees one or two of 13 in RAM", acks);
  for (let seq = 60; seq < 210; seq++) {
    add(one, 1, seq);
    drain();
  }
  const log = one.backlog!.log;
  tell("messages in the log", log.live);
  long("lowest(): none of that boot", () => log.lowest(2, 0, 4294967295));
  repeated("lowest(): above all seqs", 5, () => log.lowest(1, 1000, 4294967295));
  repeated("a mark, all turns", 5, () => {
    log.mark(1, 200);
    drain();
  });

  const two: { outbox: Outbox | null } = { outbox: null };
  turns = [];
  long("open", () => {
    two.outbox = open(flash, storage, 2, timer);
  });
  const outbox = two.outbox!;
  tell("messages found", outbox.count);
  long("remains()", () => outbox.backlog!.remains(0));
  drain();
  // all was sent and nothing is settled yet: as many are looked at as one call has patience for
  outbox.backlog!.log.each((found) => outbox.backlog!.log.setSent(found.address));
  outbox.backlog!.rewind();
  long("load(), none is due", () => outbox.load());
  outbox.backlog!.restart();
  const loads: number[] = [];
  for (let seq = 60; seq < 210; seq++) {
    const from = clock();
    const found = outbox.load();
    const took = clock() - from;
    if (found === null) {
      outbox.settle(ackOf(1, seq));
      drain();
    } else loads.push(took);
  }
  middle("load()", loads);
  longest("load(), longest", loads);

  const full = open(createFlash(8), createStorage(), 1, timer);
  drain();
  for (let seq = 0; seq < 40; seq++) {
    add(full, 1, seq);
    drain();
  }
  append("append, 8 pages, full", full, 40, 90);
  long("takeGone()", () => full.takeGone(false));
}

/** Variables in use. */
export function memory(tell: Tell, used: () => number): void {
  const message = new Uint8Array(BYTES).fill(85);
  const hash = new Uint8Array(16).fill(7);
  const one = (pages: number): void => {
    const flash = createFlash(pages);
    const storage = createStorage();
    const before = used();
    const outbox = open(flash, storage, 1, () => () => {});
    tell(`variables, ${pages} pages`, used() - before);
    for (let seq = 0; seq < 10; seq++) outbox.add("data", 1, seq, new Uint8Array(message), { hash: hash });
    tell(`variables, ${pages} pages and 10 messages in RAM that wait to be written`, used() - before);
  };
  one(8);
  one(64);
  one(224);
}
