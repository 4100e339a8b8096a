/** Alarms on the page in a real browser: what the board told and signed, and nothing else. */
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { sign1 } from "../../protocol/cose.ts";
import { encodeLine } from "../../protocol/frame.ts";
import {
  ALARM_ACTIVE,
  ALARM_HEART_RATE_HIGH,
  ALARM_INACTIVE,
  ALARM_LATCHED,
  ALARM_SPO2_LOW,
  ALARM_SPO2_MISSING,
  type AlarmEvent,
  EVENT_ALARM,
  encodeAlarm,
  encodeMessage,
  MDC_HEART_RATE,
  MDC_SPO2,
  PRIORITY_HIGH,
  PRIORITY_LOW,
  PRIORITY_MEDIUM,
} from "../../protocol/messages.ts";
import {
  createPacedWard,
  launchBrowser,
  type Misdeeds,
  type PacedWard,
  tooWide,
  untilHolds,
} from "../support/browser.ts";
import { lacks } from "../support/needs.ts";

describe.skipIf(lacks("chromium"))("alarms on the page", () => {
  let browser: Browser;
  let paced: PacedWard;
  let tab: Tab;
  let misdeeds: Misdeeds;
  let seq = 0;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await tab?.context().close();
    await paced?.close();
  });
  const open = async () => {
    paced = await createPacedWard();
    seq = 100_000;
    ({ tab, misdeeds } = await paced.open(browser));
    await tab.waitForSelector('.board[data-state="live"]');
    await holds("window.vitalwire.drawn.length >= 3");
  };
  const holds = (script: string) => untilHolds(tab, script);
  const channelOf = (mdc: number) => paced.ward.boards[0].node.runtime.channels.find((one) => one.mdc === mdc)!.id;
  /** The board tells, over its own cable and with its own key. */
  const tell = (alarm: Partial<AlarmEvent>) => {
    const { node, cable } = paced.ward.boards[0];
    const tick = Math.floor(node.board.now() / 1000);
    const own = { id: ALARM_SPO2_LOW, priority: PRIORITY_HIGH, state: ALARM_ACTIVE, dt: -12e6, value: 820, limit: 900 };
    const small = encodeAlarm({ ...own, channel: channelOf(MDC_SPO2), ...alarm });
    const message = { type: "event" as const, boot: node.boot, seq: seq++, tick, code: EVENT_ALARM, small };
    cable!.near.write(encodeLine(sign1(encodeMessage(message), node.signer)));
  };
  const rows = () => tab.locator(".alarm").allInnerTexts();
  const count = (number: number) => holds(`document.querySelectorAll(".alarm").length === ${number}`);
  const tellFast = (state = ALARM_ACTIVE) =>
    tell({
      id: ALARM_HEART_RATE_HIGH,
      priority: PRIORITY_MEDIUM,
      state,
      value: 1300,
      limit: 1200,
      channel: channelOf(MDC_HEART_RATE),
    });

  test("stand in their order with priority, limit and state in words; the vital is marked; who hears is told at once", async () => {
    await open();
    tell({ id: ALARM_SPO2_MISSING, priority: PRIORITY_LOW, value: null, limit: 20 });
    await count(1);
    tellFast(ALARM_LATCHED);
    tell({});
    await count(3);
    const texts = (await rows()).map((text) => text.replace(/\s+/g, " "));
    expect(texts).toEqual([
      expect.stringMatching(/^!!! HIGH SpO2 (--|[\d.]+) %, low limit 90, since 1[2-5] s$/),
      expect.stringMatching(/^!! MEDIUM heart rate .*high limit 120, since 1[2-5] s latched: it has ended unseen$/),
      expect.stringMatching(/^! LOW SpO2 not measured for 20 s since 1[2-9] s$/),
    ]);
    expect(await tab.locator(".technical .alarm").count()).toBe(1);
    const [urgent, calm] = await tab.locator(".spoken").allTextContents();
    expect(urgent).toBe("Board 1: high priority alarm, SpO2 below 90 %");
    expect(calm).toContain("heart rate above 120 /min, latched");
    expect(await tab.locator(".spoken").first().getAttribute("aria-live")).toBe("assertive");
    expect(await tab.textContent(`.vital[data-mdc="${MDC_SPO2}"] .limit`)).toBe("!!! < 90");
    expect(await tab.getAttribute(`.vital[data-mdc="${MDC_HEART_RATE}"]`, "data-alarm")).toBe("medium");
    // No two priorities look the same without their colours, either.
    const looks = await tab.evaluate<string[]>(`[...document.querySelectorAll(".alarm")].map((e) => {
      const { backgroundColor, borderStyle } = getComputedStyle(e);
      return [backgroundColor, borderStyle, e.querySelector(".mark").textContent].join();
    })`);
    expect(new Set(looks).size).toBe(3);
    tell({ state: ALARM_INACTIVE, value: 950 });
    await count(2);
    expect((await tab.locator(".spoken").allTextContents())[0]).toBe("");
    expect(misdeeds).toEqual({ errors: [], strangers: [] });
  });

  test("stay while the vital is null and the board is silent, and are there for who opens the page afterwards", async () => {
    await open();
    tell({});
    await count(1);
    paced.ward.boards[0].node.emulators.ppg.set("red", 0);
    paced.ward.boards[0].node.emulators.ppg.set("infrared", 0);
    await holds(`document.querySelector('.vital[data-mdc="${MDC_SPO2}"] .value').textContent === "--"`);
    expect((await rows()).join()).toContain("SpO2 -- %, low limit 90");
    expect(await tab.getAttribute(`.vital[data-mdc="${MDC_SPO2}"]`, "data-alarm")).toBe("high");
    await tab.reload();
    await count(1);
    paced.paused = true;
    await tab.waitForSelector('.board[data-state="stopped"]');
    expect((await rows()).length).toBe(1);
    expect(await tab.textContent(".stale")).toBe("as last told: what is so now is not known");
    expect(misdeeds).toEqual({ errors: [], strangers: [] });
  });

  test("are none where the event was altered on its way to the browser", async () => {
    await open();
    paced.tamper = (accepted) => {
      if (accepted.message.type !== "event") return accepted;
      const message = Uint8Array.from(accepted.row.message);
      message[message.length - 70] ^= 1;
      return { ...accepted, row: { ...accepted.row, message } };
    };
    tell({});
    await holds(`document.querySelector(".failed").textContent !== ""`);
    expect(await rows()).toEqual([]);
  });

  test("cut nothing off on a phone, in either theme, however many there are", async () => {
    await open();
    tell({});
    tellFast(ALARM_LATCHED);
    tell({ id: ALARM_SPO2_MISSING, priority: PRIORITY_LOW, value: null, limit: 20 });
    await count(3);
    for (const colorScheme of ["dark", "light"] as const) {
      await tab.emulateMedia({ colorScheme });
      await tab.setViewportSize({ width: 390, height: 844 });
      expect(await tooWide(tab, ".alarms *, .figures *", 390, 1)).toEqual([]);
    }
  });
});
