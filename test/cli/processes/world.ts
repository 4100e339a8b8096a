/** Board and gateway as two processes on one folder, and whether the record has a hole. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect } from "vitest";
import { channelName, readBoot } from "../../../gateway/read.ts";
import { openSqliteStore } from "../../../gateway/store/sqlite.ts";
import { fromHex } from "../../../protocol/keys.ts";
import { type Running, vitalwire } from "../../support/process.ts";

/** How long a gateway lives after its first packet, ms. */
export const LIFE = 1200;

export interface SimulationReport {
  kid: string;
  boot: number;
  packets: { produced: number; waiting: number };
  channels: { name: string; samples: number; sourceSha256: string }[];
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** A message of the board has become durable. */
export const stored = (one: Running) => one.printed(/board [0-9a-f]{16}: (boot|heard)/);

/** `folder`: of the running test. */
export function createProcesses(folder: () => string) {
  const store = () => join(folder(), "s.db");
  const simulate = (out: string, seconds: number) =>
    vitalwire("simulate", "--out", out, "--cards", folder(), "--seconds", String(seconds), "--json");
  const gateway = (...options: string[]) =>
    vitalwire("gateway", "--store", store(), "--cards", folder(), "--allow-test-keys", "--port", "0", ...options);

  /** The board has ended by itself, the gateway is asked to; the store is compared with what the converters gave. */
  async function expectWhole(board: Running, last: Running): Promise<void> {
    expect(await board.ended(60_000)).toBe(0);
    last.process.kill("SIGINT");
    expect(await last.ended(5000)).toBe(130);
    const report = JSON.parse(board.stdout()) as SimulationReport;
    expect(report.packets.waiting).toBe(0);
    const verify = vitalwire("verify", "--store", store(), "--site", join(folder(), "site.pub"), "--json");
    expect(await verify.ended()).toBe(0);
    const document = JSON.parse(verify.stdout());
    expect(document).toMatchObject({ failed: [], gaps: 0, duplicates: 0, audit: "whole" });
    const open = openSqliteStore(store(), { readonly: true });
    const boot = readBoot(open, fromHex(report.kid), report.boot)!;
    open.close();
    expect(boot.messages).toBe(report.packets.produced);
    for (const { name, samples, sourceSha256 } of report.channels) {
      const hash = createHash("sha256");
      let count = 0;
      for (const channel of boot.channels.values()) {
        if (channelName(channel) !== name) continue;
        for (const block of channel.blocks) {
          count += block.samples.length;
          for (const sample of block.samples) hash.update(Buffer.from(Int32Array.of(sample).buffer));
        }
      }
      expect({ name, count, hash: hash.digest("hex") }).toEqual({ name, count: samples, hash: sourceSha256 });
    }
  }

  return { store, simulate, gateway, expectWhole };
}
