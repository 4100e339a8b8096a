/** A browser before a ward that runs in real time: what the page shows is read as a person's browser has it. */
import { randomBytes } from "node:crypto";
import { type Browser, chromium as playwright, type Page as Tab } from "playwright-core";
import { createWard, type Ward, type WardOptions } from "../../cli/ward.ts";
import { type Page, startPage } from "../../gateway/api/page.ts";
import type { Accepted } from "../../gateway/receiver.ts";
import { chromium } from "./needs.ts";

/** How often virtual time follows the clock, ms. */
const PACE = 5;

export const launchBrowser = (): Promise<Browser> =>
  playwright.launch({
    executablePath: chromium,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });

/** Waits, bounded, until nothing of `selector` wider than `least` px reaches over the sides of `width` px; what still does. */
export async function tooWide(tab: Tab, selector: string, width: number, least = 0): Promise<string[]> {
  const found = () =>
    tab.evaluate<string[]>(`[...document.querySelectorAll("${selector}")].filter((e) => {
      const { left, right, width } = e.getBoundingClientRect();
      return width > ${least} && (left < 0 || right > ${width});
    }).map((e) => e.tagName + "." + e.className)`);
  // a canvas takes its new size in the frames after
  for (let i = 0; i < 500 && (await found()).length > 0; i++) await tab.waitForTimeout(10);
  return found();
}

/** Asks again and again from outside, for the page's policy lets no string run inside. Throws Error after 20 s. */
export async function untilHolds(tab: Tab, script: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  // An element that is not there yet does not hold yet.
  const asked = `(() => { try { return ${script}; } catch { return false; } })()`;
  while (!(await tab.evaluate<boolean>(asked))) {
    if (performance.now() > deadline) throw new Error(`after 20 s this does not hold: ${script}`);
    await tab.waitForTimeout(20);
  }
}

/** What a page did that none should do. */
export interface Misdeeds {
  /** Errors in the console, and those that nobody caught. */
  readonly errors: string[];
  /** Requests to anywhere but its own origin. */
  readonly strangers: string[];
}

export interface PacedWard {
  readonly ward: Ward;
  readonly page: Page;
  /** While true the ward stands still: every board falls silent at once. */
  paused: boolean;
  /** Every stored message passes here before the page's server has it. */
  tamper: (accepted: Accepted) => Accepted;
  /** Opens the one-time address in a browser of its own. */
  open(browser: Browser): Promise<{ tab: Tab; misdeeds: Misdeeds }>;
  close(): Promise<void>;
}

/**
 * A ward whose virtual time follows the clock on the wall, and the page on its gateway. `lead`: how long it has run before, us:
 * as fast as it can.
 */
export async function createPacedWard({
  lead = 0,
  ...options
}: Partial<WardOptions> & { readonly lead?: number } = {}): Promise<PacedWard> {
  let page: Page | null = null;
  const ward = await createWard({
    boards: 1,
    seed: 1,
    noise: true,
    epoch: Date.now() - lead / 1000,
    ...options,
    onStored: (accepted) => page?.stored(self.tamper(accepted)),
    onAlarm: (alarm) => page?.alarm(alarm),
  });
  page = await startPage({
    gateway: ward.gateway,
    sitePublicKey: ward.sitePublicKey,
    ...(options.store !== undefined && { storePath: options.store }),
    port: 0,
    now: Date.now,
    random: randomBytes,
    onAddress: () => {},
  });
  const own = page;
  const self: PacedWard = {
    ward,
    page: own,
    paused: false,
    tamper: (accepted) => accepted,
    async open(browser) {
      const context = await browser.newContext({ viewport: { width: 1000, height: 600 }, colorScheme: "dark" });
      const tab = await context.newPage();
      const misdeeds: Misdeeds = { errors: [], strangers: [] };
      const { host } = new URL(own.address);
      tab.on("console", (message) => message.type() === "error" && misdeeds.errors.push(message.text()));
      tab.on("pageerror", (error) => misdeeds.errors.push(error.message));
      tab.on("request", (request) => new URL(request.url()).host !== host && misdeeds.strangers.push(request.url()));
      await tab.goto(own.address);
      return { tab, misdeeds };
    },
    async close() {
      clearInterval(timer);
      await own.close();
      await ward.stop();
    },
  };
  await ward.start();
  await ward.runLockStep(lead, () => false);
  let last = performance.now();
  let behind = ward.clock.now;
  const timer = setInterval(() => {
    const now = performance.now();
    if (!self.paused) behind += (now - last) * 1000;
    last = now;
    ward.runFree(behind);
  }, PACE);
  return self;
}
