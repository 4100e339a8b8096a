/**
 * The outbox over a log in flash: births, data, vitals, events, manifests, acks, an outage that evicts, a power cut in the
 * middle of a record, a record that rots, and the boot after. Tells what is durable, told, lost, read back. Device dialect.
 */
import { createEspruinoFlash } from "../../../boards/espruino/flash.ts";
import { USED } from "../../../firmware/flash-log/pages.ts";
import { createOutbox, type Kind, type Outbox, type Run, type Sealed } from "../../../firmware/outbox.ts";
import { crc32 } from "../../../protocol/crc32.ts";
import { type AckMessage, EVENT_DISOWNED, encodeDisowned, encodeMessage } from "../../../protocol/messages.ts";
import { cutting, memoryModule } from "./flash.ts";
import { createBoard } from "./runtime.ts";
import { createStorage } from "./storage.ts";
import { xorshift } from "./text.ts";

const PAGE = 4096;
const PAGES = 8;
const CAPACITY = 4096;

const ackOf = (ofBoot: number, next: number, bitmap: number[], refused: number[]): AckMessage => ({
  type: "ack",
  kid: new Uint8Array(8),
  boot: ofBoot,
  n: 0,
  ofBoot: ofBoot,
  next: next,
  bitmap: new Uint8Array(bitmap),
  refused: refused.map((seq) => ({ seq: seq, reason: 9 })),
});

const runText = (run: Run): string => {
  const end = run.end;
  const tail = end === null ? "" : ` alive ${end.tick} within ${end.within}`;
  return `${run.boot}:${run.first}..${run.last} for ${run.reason}${tail}`;
};

export function program(print: (line: string) => void): void {
  const module = memoryModule(0, PAGES * PAGE, PAGE);
  const power = { left: 1000000 };
  const flash = cutting(createEspruinoFlash(module, 0, PAGES), power);
  const storage = createStorage(power);
  const random = xorshift(11);

  const start = (boot: number, writeAfter: number) => {
    const world = createBoard(storage);
    let seq = 0;
    let now = 0;
    const outbox: Outbox = createOutbox({
      board: world.board,
      boot: boot,
      capacity: CAPACITY,
      log: { flash: flash, writeAfter: writeAfter, markEvery: 4000 },
      onDurable: (one: Sealed) => print(`durable ${one.kind} ${one.boot}:${one.seq} at ${one.address}`),
      onFailed: (error) => print(error.message),
    });
    const pass = (ms: number): void => {
      now += ms;
      world.runUntil(now);
    };
    const submit = (kind: Kind, bytes: Uint8Array, tells: Run | null): void => {
      const number = seq++;
      if (tells !== null) outbox.add(kind, boot, number, bytes, { tells: tells });
      else if (kind === "manifest") outbox.add(kind, boot, number, bytes, {});
      else outbox.add(kind, boot, number, bytes, { hash: new Uint8Array(16).fill(number) });
    };
    const make = (kind: Kind, size: number): void => {
      const bytes = new Uint8Array(size);
      for (let i = 0; i < size; i += 7) bytes[i] = random() & 255;
      submit(kind, bytes, null);
    };
    /** Event 8 of what had to go. */
    const disown = (powerOnly: boolean): void => {
      const gone = outbox.takeGone(powerOnly);
      for (let i = 0; i < gone.length; i++) {
        const run = gone[i];
        print(`tells ${runText(run)}`);
        const count = run.last - run.first + 1;
        const small = encodeDisowned({
          boot: run.boot,
          first: run.first,
          count: count,
          reason: run.reason,
          end: run.end,
        });
        const bytes = encodeMessage({
          type: "event",
          boot: boot,
          seq: seq,
          tick: now,
          code: EVENT_DISOWNED,
          small: small,
        });
        submit("event", bytes, run);
      }
    };
    const show = (): void => {
      const list = outbox.waiting.map((one) => `${one.boot}:${one.seq}${one.address === null ? "r" : "f"}`).join(" ");
      print(`${outbox.count} wait, ${outbox.bytes} bytes in RAM: ${list}`);
      print(`gone ${outbox.gone.map(runText).join(", ")}`);
      const backlog = outbox.backlog;
      if (backlog === null) return;
      const pages = backlog.log.pages;
      let text = `clean ${pages.clean}`;
      for (let page = 0; page < PAGES; page++) {
        text += `; ${pages.state[page]} ${pages.stream[page]} ${pages.order[page]} ${pages.erasures[page]}`;
        text += ` ${pages.end[page]} ${pages.live[page]}`;
        if (pages.state[page] === USED) text += ` ${crc32(flash.read(page * PAGE, pages.end[page]))}`;
      }
      print(text);
    };
    const second = (kind: Kind, size: number): void => {
      make(kind, size);
      pass(1000);
      outbox.tick();
    };
    show();
    return { outbox: outbox, pass: pass, make: make, second: second, disown: disown, show: show };
  };

  const one = start(1, 0);
  one.make("birth", 180);
  for (let i = 1; i < 21; i++) {
    one.second("data", 300 + (random() % 300));
    if (i % 3 === 0) one.make("vital", 70);
    if (i % 5 === 0) one.make("event", 40 + i);
    if (i === 15) one.make("manifest", 480);
  }
  print(`settled ${one.outbox.settle(ackOf(1, 6, [0xa5, 0xff, 0x81], [30]))}`);
  one.pass(100);
  one.show();
  // nobody hears: marks, evictions, one told in the middle
  for (let i = 0; i < 60; i++) {
    one.second("data", 400 + (random() % 200));
    if (i % 8 === 0) one.make("vital", 70);
    if (i === 40) one.disown(false);
    if (i === 20) one.pass(9000);
  }
  one.make("birth", 200);
  one.pass(100);
  one.show();
  print(`settled ${one.outbox.settle(ackOf(1, 20, [0x0f, 0xf0], []))}`);
  one.disown(false);
  one.second("data", 500);
  // the power goes in the middle of the second slice
  power.left = 2;
  one.second("data", 600);
  power.left = 1000000;

  // a message that rots: what lies 100 bytes into the last durable data
  const two = start(2, 0);
  const backlog = two.outbox.backlog;
  if (backlog !== null) {
    const remains = backlog.remains(two.outbox.signed);
    print(`unsigned ${remains.map((left) => `${left.boot}:${left.seq}=${left.hash[0]}`).join(" ")}`);
    const first = backlog.next();
    if (first !== null) {
      print(`next ${first.kind} ${first.seq} ${first.length}`);
      module.write(new Uint8Array(8), first.address + 52);
    }
  }
  two.make("birth", 180);
  two.disown(true);
  two.pass(500);
  for (let idle = 0; idle < 3; ) {
    const message = two.outbox.load();
    if (message !== null) {
      const told = message.about.tells;
      print(
        `read ${message.kind} ${message.boot}:${message.seq} ${message.bytes.length} ${crc32(message.bytes)} ${told === undefined ? "" : runText(told)}`,
      );
      idle = 0;
      continue;
    }
    idle++;
    // what was read is settled, one by one of boot 1, and whatever else waits
    let last = 0;
    const waiting = two.outbox.waiting;
    for (let i = 0; i < waiting.length; i++) if (waiting[i].boot === 1) last = Math.max(last, waiting[i].seq);
    if (last > 0) {
      const bitmap: number[] = [];
      for (let i = 0; i < 24; i++) bitmap.push(0);
      for (let i = 0; i < waiting.length; i++) {
        const bit = waiting[i].seq - 1;
        if (waiting[i].boot === 1 && bit >= 0) bitmap[bit >> 3] |= 128 >> (bit & 7);
      }
      print(`settled ${two.outbox.settle(ackOf(1, 0, bitmap, [0]))}`);
    }
    two.second("vital", 70);
    two.disown(false);
  }
  print(`settled ${two.outbox.settle(ackOf(2, 4, [], []))}`);
  two.show();
  two.outbox.end(2000, () => print("end"));
  two.pass(3000);

  // an outbox that writes late: what is acknowledged in time never gets there
  const three = start(3, 5000);
  three.make("birth", 180);
  for (let i = 1; i < 16; i++) {
    three.second("data", 500);
    if (i % 4 === 0 && i < 9) print(`settled ${three.outbox.settle(ackOf(3, i, [], []))}`);
  }
  three.show();
  // and one whose flash does nothing any more goes on in RAM
  power.left = 0;
  three.second("data", 500);
  for (let i = 0; i < 9; i++) three.second("data", 500);
  three.show();
}
