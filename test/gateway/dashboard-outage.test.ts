/** An outage on the page, without a browser: what moves the live picture, what closes a gap, which words stand where. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lateWords } from "../../gateway/dashboard/alarms.ts";
import { Board } from "../../gateway/dashboard/board.ts";
import type { BoardCounts } from "../../gateway/dashboard/feed.ts";
import { lossWords } from "../../gateway/dashboard/losses.ts";
import { CatchUp, offlineWords } from "../../gateway/dashboard/outage.ts";
import { VITALS } from "../../gateway/dashboard/scales.ts";
import { joins, Wave } from "../../gateway/dashboard/wave.ts";
import { capacityWords, countWords, longSpanWords } from "../../gateway/dashboard/words.ts";
import { kidText } from "../../protocol/keys.ts";
import { encodeMessage, type Message } from "../../protocol/messages.ts";
import { createOutageBoard, HEART_RATE, PERIOD } from "./page-outage.ts";

const device = createOutageBoard("outage", { offline: 18_820 });
const HR = VITALS[0].mdc;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The board's tick 0, ms since the epoch. */
const BOOT = 1_800_000_000_000;
const seqAt = (ms: number) => ms / PERIOD;

const take = (board: Board, one: Message, at: number, live = true) =>
  board.take(one, encodeMessage(one), { mode: "S", by: "device", gateway: null }, { at: BOOT + at, live });
/** A board that was heard for ten seconds, and comes back after ten minutes with its newest message. */
function returned() {
  const board = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
  take(board, device.birth, 10);
  for (let seq = 1; seq <= seqAt(10_000); seq++) take(board, device.data(seq, 71), seq * PERIOD);
  const back = seqAt(10 * MINUTE);
  const taken = take(board, device.data(back, 72), back * PERIOD);
  return { board, back, taken };
}
const noCounts: BoardCounts = {
  ...{ way: "mqtt", verified: 1, rejected: 0, duplicates: 0 },
  ...{ missing: 0, declared: 0, earlierMissing: 0, earlierDeclared: 0, backfill: null },
};

describe("words", () => {
  test("a capacity is told in the unit that a person uses, and never as more than it is", () => {
    expect([95.7, 119, 2570, 7199, 18_820, 172_799, 272_000].map(capacityWords)).toEqual([
      ...["95 s", "119 s", "42 min", "119 min", "5.2 h", "47.9 h", "3.1 d"],
    ]);
    expect([90_000, HOUR - 1, 11_520_000, 187_300_000].map(longSpanWords)).toEqual([
      ...["90 s", "59 min", "3 h 12 min", "2 d 4 h"],
    ]);
    expect([7, 999, 11_520, 4_294_967_296].map(countWords).join(" ").replaceAll("\u202f", ",")).toBe(
      "7 999 11,520 4,294,967,296",
    );
  });

  test("of a board that is offline: since when, until when it keeps all, and when that is over", () => {
    const told = (silence: number, behind = false, offline: number | undefined = 18_820) =>
      offlineWords(offline, BOOT, BOOT + silence, behind).replace(/\d\d:\d\d:\d\d/g, "TIME");
    expect(told(9000)).toBe("");
    expect(told(12 * MINUTE)).toBe(
      "last heard at TIME\nif it runs, it keeps 5.2 h: no waveform is lost before TIME, in 5 h 1 min",
    );
    expect(told(12 * MINUTE, true)).toContain("in at most 5 h 1 min");
    expect(told(6 * HOUR)).toBe(
      "last heard at TIME\nif it runs, it keeps 5.2 h: since TIME its oldest waveforms are being lost",
    );
    expect(offlineWords(undefined, BOOT, BOOT + HOUR, false)).toMatch(/^last heard at \S+$/);
    expect(offlineWords(18_820, null, BOOT, false)).toBe("");
  });

  test("what is lost is a sentence, and an open end never a number of messages", () => {
    const cut = { boot: 16, first: 3590, count: 2 ** 32 - 3590, reason: 2, end: { tick: 4 * HOUR, within: 10_000 } };
    expect(lossWords(cut)).toBe(
      "boot 16 ended with message 3\u202f589, power cut: it ran for 4 h 0 min, at most 10 s more",
    );
    expect(lossWords({ ...cut, first: 0, count: 2 ** 32, end: null })).toBe(
      "boot 16: nothing more of it will come, power cut",
    );
    expect(lossWords({ ...cut, count: 1, reason: 3 })).toBe(
      "boot 16: message 3\u202f590 declared lost, damaged in flash",
    );
    expect(lossWords({ ...cut, count: 2, reason: 9 })).toBe(
      "boot 16: messages 3\u202f590 to 3\u202f591 declared lost, reason 9",
    );
  });
});

describe("after an outage", () => {
  test("the board is live with its newest message, and what is older changes neither its numbers nor its pens", () => {
    const { board, back, taken } = returned();
    const now = BOOT + back * PERIOD;
    expect(board.state(now, true)).toBe("live");
    expect(taken.spans.map(({ role }) => role)).toEqual(["ecg", "infrared"]);
    // What is told of the time before it was back is no packet rate.
    expect(board.rate).toBe(null);
    for (const seq of [41, 42, back - 1, back - 300]) {
      const old = take(board, device.data(seq, 50), back * PERIOD + 100);
      expect([old.spans, old.past]).toEqual([[], true]);
    }
    expect(board.shown(HR, now + 100, "live").value).toBe("72.0");
    expect(board.heardAt).toBe(now);
    expect(board.state(now + 1000, true)).toBe("stopped");
  });

  test("a value of the past is never shown as one of now, though no newer one has come", () => {
    const board = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
    take(board, device.birth, 10);
    const back = seqAt(10 * MINUTE);
    const waves = device.data(back, 72);
    take(board, { ...waves, channels: waves.channels.filter(({ kind }) => kind === "wave") }, back * PERIOD);
    take(board, device.data(back - seqAt(MINUTE), 50), back * PERIOD + 10);
    const shown = board.shown(HR, BOOT + back * PERIOD + 10, "live");
    expect(shown).toEqual({ value: null, text: "--", words: ["no data for 60 s"] });
    take(board, device.data(back + 1, 72), (back + 1) * PERIOD);
    expect(board.shown(HR, BOOT + (back + 1) * PERIOD, "live").value).toBe("72.0");
  });

  test("vitals in messages of their own do not change the pace of the sweeps", () => {
    const board = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
    take(board, { ...device.birth, seq: 0 }, 10);
    for (let i = 1; i <= 20; i++) {
      const { channels, ...message } = device.data(i, 72);
      const [waves, values] = ["wave", "num"].map((kind) => channels.filter((one) => one.kind === kind));
      const seq = 2 * i;
      take(board, { ...message, seq, channels: waves }, i * PERIOD);
      take(board, { ...message, seq: seq + 1, tick: message.tick + 3, channels: values }, i * PERIOD + 4);
    }
    expect(board.schedule.period).toBe(PERIOD);
    expect(board.shown(HR, BOOT + 20 * PERIOD + 4, "live").value).toBe("72.0");
  });

  test("an older birth or data of another rate that come later change nothing of what is drawn now", () => {
    const { board, back } = returned();
    const faster = {
      ...{ ...device.birth, seq: back + 1, cfg: 2, claims: { ...device.birth.claims, offline: 9000 } },
      channels: device.birth.channels.map((one) => (one.id === 0 ? { ...one, rateMilliHz: 512_000 } : one)),
    };
    take(board, faster, back * PERIOD + 10);
    const next = device.data(back + 2, 72);
    const channels = next.channels.map((one) =>
      one.kind === "wave" && one.id === 0 ? { ...one, seg: 1, idx: 0 } : one,
    );
    take(board, { ...next, cfg: 2, channels }, (back + 2) * PERIOD);
    const { stretches } = board.waves.get("ecg")!;
    take(board, device.data(back - 1, 50), (back + 2) * PERIOD + 10);
    expect(board.waves.get("ecg")!.stretches).toBe(stretches);
    take(board, { ...device.birth, seq: back - 2 }, (back + 2) * PERIOD + 20);
    expect(board.birth).toMatchObject({ cfg: 2 });
    expect(board.offline).toBe(9000);
    const late = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
    for (const birth of [faster, device.birth]) take(late, birth, back * PERIOD);
    expect(late.offline).toBe(9000);
  });

  test("an alarm of the outage is told as late and interrupts nobody; one that is over by then is none; a fresh one is not late", () => {
    const { board, back } = returned();
    const high = { id: 4, priority: 1, state: 1, dt: -9e6, value: 1391, limit: 1200, channel: HEART_RATE };
    const at = back * PERIOD + 50;
    const begun = take(board, device.alarm(41, high), at);
    expect(begun.past).toBe(true);
    expect(board.alarms.standing.map(lateWords)).toEqual(["told 9 min late"]);
    take(board, device.alarm(45, { ...high, state: 0 }), at);
    expect(board.alarms.standing).toEqual([]);
    const fresh = take(board, device.alarm(back + 1, high), at + PERIOD);
    expect(fresh.past).toBe(false);
    expect(board.alarms.standing.map(lateWords)).toEqual([""]);
    // Events come first: then the board's newest tick is one of before the outage.
    const early = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
    take(early, device.birth, 10);
    for (let seq = 1; seq <= 40; seq++) take(early, device.data(seq, 71), seq * PERIOD);
    take(early, device.alarm(50, high), 5 * MINUTE);
    expect(early.alarms.standing.map(lateWords)).toEqual(["told 4 min late"]);
  });
});

describe("a hole", () => {
  const ecg = device.birth.channels[0];
  const block = (seq: number) => {
    const [wave] = device.data(seq, 72).channels;
    if (wave.kind !== "wave") throw new Error("no waveform");
    const time = seq * PERIOD * 1000 + wave.dt;
    return { seq, seg: 0, idx: wave.idx, time, samples: new Int32Array(wave.n).fill(seq), flags: 0 };
  };
  const holes = (wave: Wave) => wave.stretches.flatMap((_, i) => wave.holeBefore(i) ?? []);

  test("lies exactly where nothing is, however the messages come, and closes when the last one is here", () => {
    const order = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { minLength: 1 });
    fc.assert(
      fc.property(order, (seqs) => {
        const wave = new Wave(ecg);
        for (const seq of seqs) wave.add(block(seq));
        const sorted = [...seqs].sort((a, b) => a - b);
        const expected = sorted.slice(1).flatMap((seq, i) => (seq > sorted[i] + 1 ? [[sorted[i], seq]] : []));
        expect(holes(wave).map(({ after, before }) => [after, before])).toEqual(expected);
        for (const { from, to, after, before } of holes(wave)) {
          expect(to - from).toBeGreaterThan((before - after - 1) * PERIOD * 1000);
          expect(to - from).toBeLessThan((before - after - 1) * PERIOD * 1000 + 8000);
        }
        for (const [i, one] of wave.stretches.entries()) {
          const joined = joins(wave.stretches[i - 1], one);
          expect(joined).toBe(i > 0 && wave.holeBefore(i) === null);
          // No step where a line leads on, whatever was scaled before it came.
          if (joined) expect(one.from).toEqual(wave.stretches[i - 1].to);
        }
      }),
    );
  });

  test("that begins before the screen is known by the last that was drawn, and shrinks as the past comes nearer", () => {
    const wave = new Wave(ecg);
    wave.add(block(40));
    expect(holes(wave)).toEqual([]);
    wave.add(block(2400));
    expect(holes(wave)).toMatchObject([{ after: 40, before: 2400 }]);
    expect(wave.add(block(2000))).toBe("known");
    expect(holes(wave)).toMatchObject([{ after: 2000, before: 2400 }]);
    expect(wave.add(block(1000))).toBe("known");
    expect(holes(wave)).toMatchObject([{ after: 2000, before: 2400 }]);
  });

  test("says that it is missing so far, not on this page, or declared lost and why; of what the chip lost it says nothing", () => {
    const { board, back } = returned();
    const words = () => {
      const hole = board.waves.get("ecg")!.holeBefore(board.waves.get("ecg")!.stretches.length - 1);
      return hole && (board.holeWords(hole)?.words ?? "nothing is said");
    };
    board.count({ ...noCounts, missing: 2359 }, BOOT, 0);
    expect(words()).toBe("MISSING SO FAR");
    expect(board.count(noCounts, BOOT, 0)).toBe(true);
    expect(words()).toBe("NOT ON THIS PAGE");
    const told = (first: number, count: number, seq: number) =>
      take(board, device.lost(seq, { boot: 1, first, count, reason: 1, end: null }), back * PERIOD);
    expect(told(41, 2000, back + 1).backfill).toBe(true);
    expect(words()).toBe("NOT ON THIS PAGE");
    told(2041, back - 2041, back + 2);
    expect(words()).toBe("DECLARED LOST: OUTBOX FULL");
    expect(board.losses.reasons(1)).toEqual(["outbox full"]);
    expect(told(41, 2000, back + 3).backfill).toBe(false);
    // An event stands where no samples are: all that was sent is here.
    take(board, device.alarm(back + 4, { id: 4, priority: 1, state: 0, dt: 0, value: 1, limit: 1, channel: 5 }), 6e5);
    const seq = back + 10;
    for (let one = back + 5; one < seq; one++)
      take(board, device.lost(one, { boot: 9, first: one, count: 1, reason: 1, end: null }), 6e5);
    take(board, device.data(seq, 72), seq * PERIOD);
    expect(words()).toBe("nothing is said");
  });
});

describe("catching up", () => {
  const at = (now: number, missing: number, age: number | null = 3 * HOUR, boot = 1): [BoardCounts, number, number] => [
    { ...noCounts, missing, declared: 6, backfill: { at: now, boot, age } },
    now + 5000,
    5000,
  ];
  test("is told from the first old message on, with how far behind, how many and how long; then that it is done", () => {
    const catchUp = new CatchUp();
    catchUp.take({ ...noCounts, missing: 12_000 }, 0, 5000);
    expect([catchUp.state(0), catchUp.words(0)]).toEqual(["none", "12\u202f000 messages missing"]);
    catchUp.take(...at(0, 12_000));
    expect(catchUp.words(5000)).toBe("catching up: 3 h 0 min behind, 12\u202f000 messages left");
    for (let second = 1; second <= 20; second++) catchUp.take(...at(second * 1000, 12_000 - 20 * second));
    expect(catchUp.words(25_000)).toBe("catching up: 3 h 0 min behind, about 9 min left");
    // Of the boot before, untimed.
    catchUp.take(...at(21_000, 11_580, null, 16));
    expect(catchUp.words(26_000)).toMatch(/^catching up: in boot 16, /);
    expect(catchUp.words(60_000)).toBe("11\u202f580 messages missing");
    catchUp.take(...at(40_000, 1, 31_000));
    expect(catchUp.words(45_000)).toMatch(/^catching up: 31 s behind, .* left$/);
    catchUp.take(...at(41_000, 0));
    expect([catchUp.state(46_000), catchUp.words(46_000)]).toEqual(["lossy", "caught up, 6 declared lost"]);
    expect(catchUp.words(46_000 + 60_001)).toBe("");
  });

  test("what comes within a second is told when it is done", () => {
    const catchUp = new CatchUp();
    catchUp.take({ ...noCounts, earlierMissing: 62 }, 0, 0);
    catchUp.take(noCounts, 1000, 0);
    expect([catchUp.state(1000), catchUp.words(1000)]).toEqual(["done", "caught up: nothing is missing"]);
  });

  test("a message that is lost on the way and comes again says nothing", () => {
    const catchUp = new CatchUp();
    catchUp.take({ ...noCounts, missing: 3 }, 0, 0);
    expect(catchUp.words(0)).toBe("");
    catchUp.take(noCounts, 1000, 0);
    expect(catchUp.words(1000)).toBe("");
  });
});
