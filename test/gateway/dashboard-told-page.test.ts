/** The page in a browser, while a ward has what goes wrong in the field. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { planFaults } from "../../simulator/faults.ts";
import { createPacedWard, launchBrowser, type PacedWard, untilHolds } from "../support/browser.ts";
import { lacks } from "../support/needs.ts";

const lacking = lacks("chromium");
let browser: Browser;
let paced: PacedWard;

beforeAll(async () => {
  if (lacking) return;
  browser = await launchBrowser();
  paced = await createPacedWard({
    lead: 45e6,
    faults: planFaults([
      { kind: "unplugged", chip: "tmp117", at: 5, for: 1000 },
      { kind: "finger-off", chip: "max30102", every: 30, for: 14 },
      { kind: "lead-off", chip: "max30003", at: 40, for: 1000 },
    ]),
  });
}, 60_000);
afterAll(async () => {
  await paced?.close();
  await browser?.close();
});

test.skipIf(lacking)(
  "says in words what is wrong with each sensor, when it is, and when it is over",
  async () => {
    const { tab, misdeeds } = await paced.open(browser);
    const words = (mdc: number) => `document.querySelector('.vital[data-mdc="${mdc}"] .words').textContent`;
    const line = "document.querySelector('.told').textContent";
    await untilHolds(tab, `${words(150456)} === "no finger"`);
    await untilHolds(tab, `${words(150364)} === "sensor fault"`);
    await untilHolds(tab, `${words(147842)} === "lead off"`);
    await untilHolds(tab, `${line}.includes("SENSOR GIVEN UP: TMP117 after 30 s; check power and wiring; tried on.")`);
    await untilHolds(tab, `document.querySelector(".told").dataset.lasting === "true"`);
    const height = () => tab.evaluate<number>(`document.querySelector(".strip").clientHeight`);
    const before = await height();
    await untilHolds(tab, `${words(150456)}.includes("uncalibrated")`);
    expect(await height()).toBe(before);
    expect(misdeeds).toEqual({ errors: [], strangers: [] });
  },
  60_000,
);
