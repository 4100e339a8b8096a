/** An outage in a real browser: what the page says while it lasts, live at once when it is over, and the gap closing behind it. */
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, untilHolds } from "../support/browser.ts";
import { lacks } from "../support/needs.ts";
import { createOutageBench, createOutageBoard, HEART_RATE, type OutageBoard, PERIOD, SPO2 } from "./page-outage.ts";

const OFFLINE = 18_820;
/** Heard for so many messages, then five minutes of nothing. */
const BEFORE = 32;
const SILENCE = 300_000;
/** Numbers of before, of the outage, and of now. */
const THEN = 71;
const MEANWHILE = 50;
const NOW = 72;

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Runs in the page: of each column of the ECG sweep whether it has the trace's green, and the band's amber. */
const READ = `(() => {
  const canvas = document.querySelector("canvas.sweeps");
  const { top, height, pxPerSecond, shift } = canvas.dataset;
  const { width } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, +top, width, +height);
  const green = [];
  const amber = [];
  for (let x = 0; x < width; x++) {
    green[x] = 0;
    amber[x] = 0;
    for (let y = 0; y < +height; y++) {
      const at = 4 * (y * width + x);
      if (data[at + 1] - data[at] > 60) green[x]++;
      if (data[at] > 60 && data[at] > data[at + 2] + 30) amber[x]++;
    }
  }
  const kid = document.querySelector(".board").dataset.kid;
  return { width, pxPerSecond: +pxPerSecond, shift: +shift, pen: window.vitalwire.penAt(kid, "ecg"), green, amber };
})()`;

interface Pixels {
  readonly width: number;
  readonly pxPerSecond: number;
  readonly shift: number;
  readonly pen: number;
  readonly green: number[];
  readonly amber: number[];
}

/** How many of the columns between two board times have ink, of a sweep that holds them still; ms. */
function share(pixels: Pixels, colour: "green" | "amber", from: number, to: number): number {
  let inked = 0;
  let count = 0;
  for (let time = from + 20; time < to - 20; time += 10) {
    const column = Math.floor(((time * 1000 + pixels.shift) / 1e6) * pixels.pxPerSecond);
    if (pixels[colour][((column % pixels.width) + pixels.width) % pixels.width] > 0) inked++;
    count++;
  }
  return inked / count;
}

describe.skipIf(lacks("chromium"))("the page, through an outage", () => {
  let browser: Browser;
  let tab: Tab;
  let bench: Awaited<ReturnType<typeof createOutageBench>>;
  let stop = () => {};
  const errors: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    stop();
    await tab?.context().close();
    await bench?.close();
  });

  const holds = (script: string) => untilHolds(tab, script);
  const text = (selector: string) => tab.textContent(selector);
  const open = async () => {
    const context = await browser.newContext({ viewport: { width: 1600, height: 600 }, colorScheme: "dark" });
    tab = await context.newPage();
    tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    tab.on("pageerror", (error) => errors.push(error.message));
    await tab.goto(bench.page.address);
    await tab.waitForSelector(".board[data-state]");
  };
  /** Every message from `from` on as its time comes. Returns how many there were, and stops. */
  const goOn = (board: OutageBoard, boot: number, from: number) => {
    let next = from;
    const timer = setInterval(() => {
      for (; boot + next * PERIOD <= Date.now(); next++) bench.hear(board, [board.data(next, NOW)]);
    }, 10);
    stop = () => clearInterval(timer);
    return () => next - from;
  };

  test("it says since when and until when; it is live at once; the gap closes, but for what is declared lost; no number of the past is shown", async () => {
    const board = createOutageBoard("page outage", { offline: OFFLINE });
    bench = await createOutageBench([board]);
    const boot = Date.now() - SILENCE - BEFORE * PERIOD;
    bench.hear(board, [board.birth], boot);
    for (const seq of range(1, BEFORE)) bench.hear(board, [board.data(seq, THEN)], boot + seq * PERIOD);
    await open();
    await holds(
      `document.querySelector(".notice").textContent.startsWith("stopped: nothing for 5 min, last heard at ")`,
    );
    expect(await text(".notice")).toMatch(
      /\nif it runs, it keeps 5\.2 h: no waveform is lost before \d\d:\d\d:\d\d, in 5 h 8 min$/,
    );
    await holds(`document.querySelector(".keeps").textContent === "keeps 5.2 h offline"`);
    await tab.evaluate(`void (() => {
      window.shown = new Set();
      window.urgent = [];
      const look = () => {
        for (const e of document.querySelectorAll('.value[data-mdc="147842"]')) window.shown.add(e.dataset.value);
        const [spoken] = document.querySelectorAll(".alarms [aria-live=assertive]");
        if (spoken.textContent !== "") window.urgent.push(spoken.textContent);
      };
      new MutationObserver(look).observe(document.querySelector(".board"),
        { attributes: true, subtree: true, characterData: true, childList: true });
    })()`);

    // Back: what an alarm did meanwhile, one that still stands, the newest data.
    const back = Math.ceil((Date.now() - boot) / PERIOD);
    const low = { id: 1, priority: 1, state: 1, dt: -12e6, value: 820, limit: 900, channel: SPO2 };
    const events = [
      board.alarm(BEFORE + 40, low),
      board.alarm(BEFORE + 90, { ...low, state: 0, value: 940 }),
      board.alarm(back - 800, {
        id: 4,
        priority: 1,
        state: 1,
        dt: -9e6,
        value: 1391,
        limit: 1200,
        channel: HEART_RATE,
      }),
    ];
    bench.hear(board, events);
    const heard = goOn(board, boot, back);
    await tab.waitForSelector('.board[data-state="live"]');
    expect(await text('.value[data-mdc="147842"]')).toBe("72.0");
    await holds(`/^1\u202f\\d{3} messages missing$/.test(document.querySelector(".filling").textContent)`);
    await holds(`document.querySelector(".gaps").textContent.endsWith(" missing")`);
    const alarms = await tab.locator(".alarm").allTextContents();
    expect(alarms).toHaveLength(1);
    expect(alarms[0]).toMatch(/heart rate .* limit 120.*told 3 min late/);
    // The sweep is new, and before it is nothing, no line and no band that looks like one.
    await holds(`window.vitalwire.drawn.length >= 6`);
    const live = await tab.evaluate<Pixels>(READ);
    expect(share(live, "green", back * PERIOD - PERIOD, live.pen / 1000)).toBeGreaterThan(0.95);
    expect(share(live, "green", back * PERIOD - 3000, back * PERIOD - PERIOD)).toBe(0);
    expect(share(live, "amber", back * PERIOD - 3000, back * PERIOD - PERIOD)).toBe(0);

    // The rest, oldest first; some of the last messages had to go, and the board says so.
    const lost = range(back - 12, back - 7);
    const spared = new Set([...events.map(({ seq }) => seq), ...lost]);
    const rest = range(BEFORE + 1, back - 1).filter((seq) => !spared.has(seq));
    const fill = (seqs: readonly number[]) =>
      bench.hear(
        board,
        seqs.map((seq) => board.data(seq, MEANWHILE)),
      );
    const isBehind = (minutes: number) =>
      holds(`document.querySelector(".filling").textContent.startsWith("catching up: ${minutes} min behind, ")`);
    const half = Math.floor(rest.length / 2);
    fill(rest.slice(0, 40));
    await isBehind(4);
    expect(await tab.getAttribute(".board", "data-state")).toBe("live");
    expect(await text('.value[data-mdc="147842"]')).toBe("72.0");
    // What fills the gap is no sign of life.
    stop();
    await tab.waitForSelector('.board[data-state="stopped"]');
    fill(rest.slice(40, half));
    await isBehind(2);
    fill(rest.slice(half));
    await holds(`document.querySelector(".gaps").textContent === "gaps: 6 missing"`);
    expect(await tab.getAttribute(".board", "data-state")).toBe("stopped");
    const last = back + heard();
    const [hole, end] = [(lost[0] - 1) * PERIOD, (last - 1) * PERIOD];
    const filled = await tab.evaluate<Pixels>(READ);
    expect(share(filled, "green", hole - 1000, hole)).toBeGreaterThan(0.95);
    expect(share(filled, "green", hole, hole + lost.length * PERIOD)).toBe(0);
    expect(share(filled, "amber", hole, hole + lost.length * PERIOD)).toBe(0);
    expect(share(filled, "green", hole + lost.length * PERIOD, end)).toBeGreaterThan(0.95);
    bench.hear(board, [board.lost(last, { boot: 1, first: lost[0], count: lost.length, reason: 1, end: null })]);
    await holds(`document.querySelector(".filling").textContent === "caught up, 6 declared lost"`);
    await holds(`document.querySelector(".gaps").textContent === "gaps: 6 declared lost (outbox full)"`);
    const done = await tab.evaluate<Pixels>(READ);
    expect(share(done, "green", hole, hole + lost.length * PERIOD)).toBe(0);
    expect(share(done, "amber", hole, hole + lost.length * PERIOD)).toBeGreaterThan(0.9);
    bench.hear(board, [board.data(Math.floor((Date.now() - boot) / PERIOD), NOW)]);
    await tab.waitForSelector('.board[data-state="live"]');

    // Of the past no number was ever shown, nothing was sounded, and hours of it were not even sent here.
    expect([...(await tab.evaluate<string[]>("[...window.shown]"))].sort()).toEqual(["", "72.0"]);
    expect(await tab.evaluate("window.urgent")).toEqual([]);
    const [, verified] = /in this browser: (\d+)/.exec((await text(".verified"))!)!;
    expect(Number(verified)).toBeLessThan(BEFORE + 60_000 / PERIOD + last - back + 20);
    await tab.click("summary");
    await holds(`document.querySelector(".more").textContent.includes("declared lost, outbox full")`);
    expect(errors).toEqual([]);
  });
});
