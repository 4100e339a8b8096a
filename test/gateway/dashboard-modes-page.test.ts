/** The page in a real browser, before boards that MAC and encrypt: live, right, and never called more than it is. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { codesOf, VITALS } from "../../gateway/dashboard/scales.ts";
import { inFours } from "../../gateway/dashboard/words.ts";
import { createCounters } from "../../gateway/origin.ts";
import { readBoot, toPhysical } from "../../gateway/read.ts";
import { decodeRecord, encodeRecord } from "../../gateway/record.ts";
import { birthKey } from "../../protocol/boot-keys.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import { mac0 } from "../../protocol/mac0.ts";
import { encodeMessage } from "../../protocol/messages.ts";
import { vitalChannel } from "../../protocol/vital.ts";
import {
  createPacedWard,
  launchBrowser,
  type Misdeeds,
  type PacedWard,
  tooWide,
  untilHolds,
} from "../support/browser.ts";
import { lacks } from "../support/needs.ts";

describe.skipIf(lacks("chromium"))("the page, of boards in modes M and E", () => {
  let browser: Browser;
  let folder: string;
  let paced: PacedWard;
  let tab: Tab;
  let misdeeds: Misdeeds;

  beforeAll(async () => {
    browser = await launchBrowser();
    folder = mkdtempSync(join(tmpdir(), "vitalwire-page-"));
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    await tab?.context().close();
    await paced?.close();
  });
  const open = async (options: Parameters<typeof createPacedWard>[0]) => {
    paced = await createPacedWard(options);
    paced.paused = true;
    ({ tab, misdeeds } = await paced.open(browser));
  };
  const run = async () => {
    paced.paused = false;
    await tab.waitForSelector('.board[data-state="live"]');
  };
  const holds = (script: string) => untilHolds(tab, script);
  const drawn = (count: number) => holds(`window.vitalwire.drawn.length >= ${count}`);
  const foot = (item: string) => tab.locator(`.provenance .${item}`).first().textContent();
  /** Columns of the sweeps with ink in them, and the numbers beside the newest ones stored. */
  const isRight = async () => {
    paced.paused = true;
    await tab.waitForTimeout(100);
    const { kid, node } = paced.ward.boards[0];
    const panel = `[data-kid="${kid}"]`;
    const { channels } = readBoot(paced.ward.gateway.store, node.signer.kid, node.boot)!;
    const definitions = [...channels.values()].map(({ definition }) => definition);
    const newest = VITALS.map(({ mdc }) => {
      const { definition, values } = channels.get(vitalChannel(definitions, codesOf(mdc))!.id)!;
      const { raw } = values.at(-1)!;
      return raw === null ? "" : toPhysical(definition, raw).toFixed(Math.max(0, -definition.exp10));
    });
    const values = `[...document.querySelectorAll('${panel} .value')].map((e) => e.dataset.value)`;
    // A page on a busy machine is behind the store for a moment.
    await holds(`JSON.stringify(${values}) === ${JSON.stringify(JSON.stringify(newest))}`);
    expect(await tab.evaluate(values)).toEqual(newest);
    expect(newest.filter((one) => one !== "").length).toBeGreaterThanOrEqual(4);
    const ink = `(() => {
      const canvas = document.querySelector('${panel} canvas.sweeps');
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      const columns = new Set();
      for (let i = 0; i < data.length; i += 4) if (data[i + 1] - data[i] > 60) columns.add((i / 4) % width);
      return columns.size;
    })()`;
    await holds(`${ink} > 300`);
    paced.paused = false;
  };

  test("a MAC is told as countersigned by its gateway, what a manifest lists as device-signed, and what this browser cannot check as that", async () => {
    await open({ seal: { mode: "mac", encrypt: false }, lead: 46e6 });
    const gateway = inFours(kidText(paced.ward.gatewayCard.kid));
    await holds(`document.querySelector(".countersigned").textContent !== ""`);
    const words = new RegExp(`^\\u2713 MAC, countersigned by gateway ${gateway}, checked in this browser: \\d+$`);
    expect(await foot("countersigned")).toMatch(words);
    expect(await foot("verified")).toBe("");
    // The first manifest comes after sixty messages.
    await run();
    await isRight();
    await holds(`document.querySelector(".verified").textContent !== ""`);
    expect(await foot("verified")).toMatch(/^\u2713 device-signed, checked in this browser: \d+ \(\d+ by manifest\)$/);
    // What came since the manifest.
    await holds(`document.querySelector(".countersigned").textContent !== ""`);
    expect(await foot("countersigned")).toMatch(words);
    expect([await foot("unchecked"), await foot("failed"), await foot("contradicted")]).toEqual(["", "", ""]);
    expect(await foot("evidence")).toBe("mode M: mac + gateway");
    // A gateway that does not countersign.
    const before = await tab.evaluate<number>("window.vitalwire.drawn.length");
    paced.tamper = (accepted) => {
      const record = encodeRecord({ clock: null, countersignature: null, plaintext: null });
      return { ...accepted, row: { ...accepted.row, record } };
    };
    await drawn(before + 2);
    await holds(`document.querySelector(".since").textContent.startsWith("NOT CHECKED HERE")`);
    expect(await foot("unchecked")).toMatch(/^MAC alone, this browser cannot check it: \d$/);
    expect(await foot("failed")).toBe("");
    expect(misdeeds).toEqual({ errors: [], strangers: [] });
  });

  test("encrypted: what was read otherwise than countersigned is refused; a clone is told with the command that ends it, later too", async () => {
    const store = join(folder, "ward.db");
    await open({ boards: 2, seal: { mode: "mac", encrypt: true }, store, lead: 12e6 });
    await run();
    await drawn(2);
    await isRight();
    expect(await foot("evidence")).toBe("mode E: mac + gateway");
    let altered = false;
    paced.tamper = (accepted) => {
      const { clock, countersignature, plaintext } = decodeRecord(accepted.row.record);
      if (altered || accepted.row.kind !== 1 || plaintext === null) return accepted;
      altered = true;
      const other = Uint8Array.from(plaintext);
      other[other.length - 1] ^= 1;
      const record = encodeRecord({ clock, countersignature, plaintext: other });
      return { ...accepted, row: { ...accepted.row, record } };
    };
    await holds(`[...document.querySelectorAll(".failed")].some((e) => e.textContent !== "")`);
    expect(await tab.locator(".failed").allTextContents()).toContain(
      "1 refused by this browser (countersignature: 1), not drawn",
    );
    // Another board with the key of the first.
    const { kid, node } = paced.ward.boards[0];
    const { births } = paced.ward.gateway.devices.boot(paced.ward.gateway.devices.get(node.signer.kid)!, node.boot);
    const birth = births.get(1)!;
    const other = { ...birth, claims: { ...birth.claims, bootseed: new Uint8Array(16).fill(1) } };
    const key = birthKey({ psk: node.psk!, kid: node.signer.kid, boot: node.boot }, nodeCrypto);
    const origin = { name: "clone", counters: createCounters(), reply() {} };
    paced.ward.gateway.receive(mac0(encodeMessage(other), node.signer.kid, key, nodeCrypto), origin);
    const notice = `[data-kid="${kid}"] .notices li[data-kind="quarantine"]`;
    const told = async () => {
      await tab.waitForSelector(notice);
      expect(await tab.textContent(`${notice} b`)).toBe("TECHNICAL: IN QUARANTINE");
      expect(await tab.textContent(`${notice} span`)).toMatch(
        /^since 20.* boot 1 seq 0 is stored with another payload: a clone/,
      );
      expect(await tab.textContent(`${notice} code`)).toBe(`vitalwire devices --store ${store} --release ${kid}`);
    };
    await told();
    await tab.reload();
    await told();
    await holds(`document.querySelector('[data-kid="${kid}"] .notice').textContent.includes("stores nothing of it")`);
    for (const colorScheme of ["dark", "light"] as const) {
      await tab.emulateMedia({ colorScheme });
      await tab.setViewportSize({ width: 390, height: 844 });
      expect(await tooWide(tab, "body *", 390)).toEqual([]);
    }
    paced.ward.gateway.devices.release(node.signer.kid, Date.now());
    await tab.waitForSelector(notice, { state: "detached" });
    await tab.waitForSelector(`[data-kid="${kid}"][data-state="live"], [data-kid="${kid}"][data-state="late"]`);
    expect(misdeeds).toEqual({ errors: [], strangers: [] });
  });
});
