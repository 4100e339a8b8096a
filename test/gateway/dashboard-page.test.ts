/** The page in a real browser, before a ward of virtual boards: what it draws and says is what the store holds. */
import { randomBytes } from "node:crypto";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { millivolts, readRecordSync } from "../../formats/index.ts";
import { startPage } from "../../gateway/api/page.ts";
import { codesOf, roundDecimal, VITALS } from "../../gateway/dashboard/scales.ts";
import { readBoot, type StoredBoot, toPhysical } from "../../gateway/read.ts";
import { vitalChannel } from "../../protocol/vital.ts";
import {
  createPacedWard,
  launchBrowser,
  type Misdeeds,
  type PacedWard,
  tooWide,
  untilHolds,
} from "../support/browser.ts";
import { dataFolder, lacks } from "../support/needs.ts";

interface Pixels {
  /** Device px, us. */
  readonly width: number;
  readonly pxPerSecond: number;
  readonly pxPerMillivolt: number;
  readonly shift: number;
  /** Board time up to which it is drawn, us. */
  readonly pen: number;
  /** Of each column: the middle of what has the trace's colour, px from the sweep's top; null: nothing. */
  readonly centres: (number | null)[];
}

/** Runs in the page: reads the ECG sweep back from the canvas. */
const READ_ECG = `(() => {
  const canvas = document.querySelector("canvas.sweeps");
  const { top, height, pxPerSecond, pxPerMillivolt, shift } = canvas.dataset;
  const { width } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, +top, width, +height);
  const centres = [];
  for (let x = 0; x < width; x++) {
    let sum = 0;
    let weight = 0;
    for (let y = 0; y < +height; y++) {
      const at = 4 * (y * width + x);
      // The trace is green (76, 240, 140); of the grid and the band nothing is greener than red by so much.
      const green = data[at + 1] - data[at] - 60;
      if (green > 0) {
        sum += green * y;
        weight += green;
      }
    }
    centres.push(weight > 0 ? sum / weight : null);
  }
  const kid = document.querySelector(".board").dataset.kid;
  return { width, pxPerSecond: +pxPerSecond, pxPerMillivolt: +pxPerMillivolt, shift: +shift,
    pen: window.vitalwire.penAt(kid, "ecg"), centres };
})()`;

/** Column of a board time, and the other way round for the columns behind the pen. */
const columnOf = ({ pxPerSecond, shift, width }: Pixels, time: number) =>
  Math.floor((((time + shift) / 1e6) * pxPerSecond) % width);

describe.skipIf(lacks("chromium"))("the page", () => {
  let browser: Browser;
  let paced: PacedWard;
  let tab: Tab;
  let misdeeds: Misdeeds;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await tab?.context().close();
    await paced?.close();
  });
  const open = async (options: Parameters<typeof createPacedWard>[0] = {}) => {
    paced = await createPacedWard(options);
    ({ tab, misdeeds } = await paced.open(browser));
    await tab.waitForSelector('.board[data-state="live"]');
  };
  const holds = (script: string) => untilHolds(tab, script);
  const drawn = (count: number) => holds(`window.vitalwire.drawn.length >= ${count}`);
  const stored = (): StoredBoot => {
    const { node } = paced.ward.boards[0];
    return readBoot(paced.ward.gateway.store, node.signer.kid, node.boot)!;
  };
  /** Stands still, and waits until all that came is drawn. */
  const settle = async () => {
    paced.paused = true;
    await holds(`(() => {
      const pen = window.vitalwire.penAt(document.querySelector(".board").dataset.kid, "ecg");
      const still = window.lastPen === pen;
      window.lastPen = pen;
      return still && document.querySelector(".board").dataset.state === "stopped";
    })()`);
    return tab.evaluate<Pixels>(READ_ECG);
  };
  const ecgOf = (boot: StoredBoot) =>
    [...boot.channels.values()].find(({ definition, blocks }) => definition.mdc === 131328 && blocks.length > 0)!;
  const innocent = () => expect(misdeeds).toEqual({ errors: [], strangers: [] });

  test.skipIf(lacks("recordings"))("the ECG on the canvas is the store's, column by column, in mm and mV", async () => {
    const record = readRecordSync(`${dataFolder}/mitdb/101`);
    await open({ noise: false, recording: { millivolts: millivolts(record.signals[0]), rate: record.rate } });
    await drawn(7);
    const pixels = await settle();
    expect(pixels.pxPerSecond).toBeCloseTo((25 * 96) / 25.4, 6);
    expect(pixels.pxPerMillivolt).toBeCloseTo((10 * 96) / 25.4, 6);
    const { definition, blocks } = ecgOf(stored());
    const columns = new Map<number, number[]>();
    for (const { time, samples } of blocks) {
      for (let i = 0; i < samples.length; i++) {
        const at = time + (i * 1e9) / definition.rateMilliHz;
        if (at > pixels.pen - 4e6 && at <= pixels.pen) {
          const x = columnOf(pixels, at);
          columns.set(x, [...(columns.get(x) ?? []), toPhysical(definition, samples[i]) * 1000]);
        }
      }
    }
    const pairs = [...columns].map(([x, values]) => ({
      told: (Math.min(...values) + Math.max(...values)) / 2,
      height: Math.max(...values) - Math.min(...values),
      seen: pixels.centres[x],
    }));
    expect(pairs.length).toBeGreaterThan(370);
    expect(pairs.filter(({ seen }) => seen === null)).toEqual([]);
    const seen = pairs.map((pair) => -pair.seen! / pixels.pxPerMillivolt);
    const told = pairs.map((pair) => pair.told);
    expect(correlation(seen, told)).toBeGreaterThanOrEqual(0.95);
    // And as high as it says: a millivolt on the canvas for a millivolt in the store. Where the line is steep, or beside it,
    // the middle of its ink lies elsewhere than that of the samples.
    const isFlat = (_: number, i: number) => {
      const near = pairs.slice(Math.max(0, i - 2), i + 3);
      return near.every((one) => one.height < 0.1 && Math.abs(one.told - told[i]) < 0.1);
    };
    // Of both regressions: noise of a pixel makes one slope too small, the other too large.
    const [inks, values] = [seen.filter(isFlat), told.filter(isFlat)];
    const scale = Math.sqrt(slope(inks, values) / slope(values, inks));
    expect(scale).toBeGreaterThan(0.9);
    expect(scale).toBeLessThan(1.05);
    innocent();
  });

  test("every number is the newest one stored, to the last digit; null is -- with its reason", async () => {
    await open();
    await drawn(9);
    paced.paused = true;
    const { channels } = stored();
    const definitions = [...channels.values()].map(({ definition }) => definition);
    const newest = VITALS.map(({ mdc, decimals }) => {
      const { definition, values } = channels.get(vitalChannel(definitions, codesOf(mdc))!.id)!;
      const { raw } = values.at(-1)!;
      const exact = raw === null ? null : toPhysical(definition, raw).toFixed(Math.max(0, -definition.exp10));
      return [mdc, exact ?? "", exact === null ? "--" : roundDecimal(exact, decimals)];
    });
    expect(newest.filter(([, exact]) => exact !== "").length).toBeGreaterThanOrEqual(4);
    const shown = await tab.evaluate<unknown[]>(
      `[...document.querySelectorAll(".value")].map((e) => [+e.dataset.mdc, e.dataset.value, e.textContent])`,
    );
    expect(shown).toEqual(newest);
    const words = await tab.textContent(`.vital[data-mdc="150456"] .words`);
    expect(words).toContain("uncalibrated");
    innocent();
  });

  test("an electrode that is off is a band that says LEAD OFF, with no line and no heart rate", async () => {
    await open();
    await drawn(4);
    expect((await tab.evaluate<Pixels>(READ_ECG)).centres.filter((one) => one !== null).length).toBeGreaterThan(150);
    paced.ward.boards[0].node.emulators.ecg.set("leadOff", 1);
    await holds(`document.querySelector('.vital[data-mdc="147842"] .words').textContent.includes("lead off")`);
    expect(await tab.textContent('.vital[data-mdc="147842"] .value')).toBe("--");
    const before = await tab.evaluate<number>("window.vitalwire.drawn.length");
    await drawn(before + 2);
    const pixels = await settle();
    for (let time = pixels.pen - 1.5e6; time < pixels.pen; time += 5000) {
      expect(pixels.centres[columnOf(pixels, time)], `${(pixels.pen - time) / 1e6} s before the pen`).toBe(null);
    }
    // The other sweeps go on, and the band is not an empty stretch either.
    const last = columnOf(pixels, pixels.pen - 0.7e6);
    const colours = await tab.evaluate<number>(`(() => {
      const canvas = document.querySelector("canvas.sweeps");
      const { data } = canvas.getContext("2d").getImageData(${last} - 60, +canvas.dataset.top, 60, +canvas.dataset.height);
      let amber = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i] > 50 && data[i] > data[i + 2] + 25) amber++;
      return amber;
    })()`);
    expect(colours).toBeGreaterThan(200);
    innocent();
  });

  test("a board that stops is shown as stopped within two of its periods, its numbers gone", async () => {
    await open();
    await drawn(3);
    await tab.evaluate(`void (window.changed = new Promise((resolve) => {
      const board = document.querySelector(".board");
      new MutationObserver(() => {
        if (board.dataset.state === "stopped") resolve(performance.timeOrigin + performance.now());
      }).observe(board, { attributes: true });
    }))`);
    paced.paused = true;
    const took = await tab.evaluate<number>(
      "window.changed.then((at) => at - Math.max(...window.vitalwire.drawn.map(({ arrived }) => arrived)))",
    );
    expect(took).toBeGreaterThan(1000);
    expect(took).toBeLessThanOrEqual(2000);
    expect(await tab.textContent(".notice")).toMatch(/^stopped: nothing for \d\.\d s$/);
    expect(new Set(await tab.locator(".value").allTextContents())).toEqual(new Set(["--"]));
    await holds(`[...document.querySelectorAll(".words")].every((e) => /^no data for \\d s$/.test(e.textContent))`);
    expect(Number(await tab.evaluate(`getComputedStyle(document.querySelector(".sweeps")).opacity`))).toBeLessThan(0.5);
    paced.paused = false;
    await tab.waitForSelector('.board[data-state="live"]');
    innocent();
  });

  test("what was lost on the way and came later is drawn in where it belongs", async () => {
    await open();
    await drawn(3);
    const { link, node } = paced.ward.boards[0];
    const { send } = link;
    let lost = 0;
    link.send = (letter, bytes) => (lost < 2 ? ++lost > 0 : send(letter, bytes));
    const { devices } = paced.ward.gateway;
    const { settled } = devices.boot(devices.get(node.signer.kid)!, node.boot);
    const until = async (condition: () => boolean) => {
      for (let i = 0; i < 1000 && !condition(); i++) await tab.waitForTimeout(10);
      expect(condition()).toBe(true);
    };
    const before = settled.next;
    await until(() => lost === 2 && settled.next >= before + 4);
    const pixels = await settle();
    for (let time = pixels.pen - 4e6; time < pixels.pen - 1e4; time += 5000) {
      expect(pixels.centres[columnOf(pixels, time)], `${(pixels.pen - time) / 1e6} s before the pen`).not.toBe(null);
    }
    innocent();
  });

  test("a message altered on its way to the browser is refused there, counted, and not drawn", async () => {
    await open();
    await drawn(3);
    let altered = -1;
    let times: number[] = [];
    paced.tamper = (accepted) => {
      const { message: data } = accepted;
      if (altered >= 0 || data.type !== "data") return accepted;
      altered = data.seq;
      times = data.channels.map(({ dt }) => data.tick * 1000 + dt);
      const message = Uint8Array.from(accepted.row.message);
      message[200] ^= 1;
      return { ...accepted, row: { ...accepted.row, message } };
    };
    await holds(`document.querySelector(".failed").textContent !== ""`);
    expect(await tab.textContent(".failed")).toBe("1 refused by this browser (signature: 1), not drawn");
    await holds(`window.vitalwire.drawn.some(({ seq }) => seq > ${altered})`);
    const seqs = await tab.evaluate<number[]>("window.vitalwire.drawn.map(({ seq }) => seq)");
    expect(seqs).toContain(altered + 1);
    expect(seqs).not.toContain(altered);
    // Where it would be the sweep is empty: no line leads over it.
    const pixels = await settle();
    const missing = ecgOf(stored()).blocks.find(({ time }) => times.includes(time))!;
    const middle = missing.time + (missing.samples.length * 1e6) / 256 / 2;
    for (let time = middle - 3e5; time < middle + 3e5; time += 5000)
      expect(pixels.centres[columnOf(pixels, time)]).toBe(null);
    innocent();
  });

  test("nothing that was put into the page runs, and nothing is asked of anybody else", async () => {
    await open();
    await tab.evaluate(`(() => {
      const script = document.createElement("script");
      script.textContent = "window.intruder = true";
      document.body.append(script);
      fetch("https://example.org/").catch(() => { window.stopped = true; });
    })()`);
    await holds("window.stopped === true");
    expect(await tab.evaluate("window.intruder")).toBeUndefined();
    expect(misdeeds.strangers).toEqual([]);
    expect(misdeeds.errors.join()).toContain("Content Security Policy");
  });

  test("a gateway that goes away is said on every board, and nothing looks healthy meanwhile", async () => {
    await open({ boards: 2 });
    await drawn(4);
    await paced.page.close();
    await holds(`[...document.querySelectorAll(".board")].every((e) => e.dataset.state === "lost")`);
    expect(await tab.locator(".notice").allTextContents()).toEqual(
      Array(2).fill("connection to the gateway lost, trying again"),
    );
    expect(new Set(await tab.locator(".value").allTextContents())).toEqual(new Set(["--"]));
    // A gateway that was started anew knows no browser: trying again does not help, so the page says what does.
    const { gateway, sitePublicKey } = paced.ward;
    const options = { gateway, sitePublicKey, now: Date.now, random: randomBytes, onAddress: () => {} };
    const again = await startPage({ ...options, port: paced.page.port });
    await holds(`document.querySelector("#messages").textContent.includes("Open the address that the terminal shows")`);
    // Whoever does so is let in.
    await tab.goto(again.address);
    await tab.waitForSelector(".board").finally(again.close);
    expect(misdeeds.strangers).toEqual([]);
  });

  test("on a phone nothing is cut and nothing scrolls sideways, in either theme", async () => {
    await open({ boards: 2 });
    for (const colorScheme of ["dark", "light"] as const) {
      await tab.emulateMedia({ colorScheme });
      await tab.setViewportSize({ width: 390, height: 844 });
      expect(await tooWide(tab, "body *", 390)).toEqual([]);
      expect(await tab.evaluate("document.documentElement.scrollWidth")).toBe(390);
    }
  });
});

/** Sum of the products of what two rows differ from their means. */
function covariance(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanA = mean(a);
  const meanB = mean(b);
  return a.reduce((sum, value, i) => sum + (value - meanA) * (b[i] - meanB), 0);
}

const correlation = (a: readonly number[], b: readonly number[]) =>
  covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b));

/** How much `a` rises for 1 of `b`, by least squares. */
const slope = (a: readonly number[], b: readonly number[]) => covariance(a, b) / covariance(b, b);
