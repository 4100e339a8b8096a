/** vitalwire verify: is every message authentic, unchanged, and are all of them there? */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Opener } from "../gateway/audit/opener.ts";
import { type VerifyReport, verifyStore } from "../gateway/audit/verify.ts";
import { Sequences } from "../gateway/sequence.ts";
import { decodeCard } from "../protocol/card.ts";
import type { Crypto } from "../protocol/cose.ts";
import { nodeCrypto } from "../protocol/crypto.node.ts";
import { kidOf, kidText } from "../protocol/keys.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { splitCapture } from "./capture.ts";
import { type KeysOptions, preSharedKeys } from "./keys/pre-shared.ts";
import { parsePublicKey, readCards, readPublicKey } from "./keys.ts";
import { UsageError } from "./usage.ts";

interface VerifyOptions extends KeysOptions {
  readonly store?: string;
  readonly site?: string;
  readonly cards?: string;
  readonly key?: string;
  readonly both?: boolean;
  readonly json?: boolean;
}

export async function verify(file: string | undefined, options: VerifyOptions): Promise<void> {
  const path = options.store ?? file;
  if (path === undefined || (options.store !== undefined && file !== undefined)) {
    throw new UsageError("name either a capture FILE or --store FILE");
  }
  if (!existsSync(path)) throw new UsageError(`${path}: no such file`);
  const folder = options.cards ?? dirname(path);
  const verifiers: [Crypto, ...Crypto[]] = [nodeCrypto];
  if (options.both) verifiers.push((await import("../protocol/tweetnacl.node.ts")).tweetnaclCrypto);
  const psks = preSharedKeys(options);
  const pskOf = (kid: string) => psks.get(kid);
  const site = () => readPublicKey(options.site ?? join(folder, "site.pub"));

  let report: VerifyReport;
  if (options.store !== undefined) {
    if (options.key !== undefined) throw new UsageError("--key is for a capture; a store is checked against --site");
    report = await verifyStore({ path, sitePublicKey: site(), verifiers, pskOf });
  } else {
    const keys = new Map<string, Uint8Array>();
    if (options.key !== undefined) {
      const key = parsePublicKey(options.key, "--key");
      keys.set(kidText(kidOf(key, nodeCrypto)), key);
    } else {
      const sitePublicKey = site();
      for (const bytes of readCards(folder)) {
        const card = decodeCard(bytes, sitePublicKey, nodeCrypto);
        keys.set(kidText(card.kid), card.publicKey);
      }
    }
    report = verifyCapture(readFileSync(path), new Opener({ publicKeyOf: (kid) => keys.get(kid), pskOf }, verifiers));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else print(path, report);
  // What nothing has proven may be a forgery: no program is to take it for verified.
  if (report.failed.length > 0 || report.audit !== "whole" || report.unchecked !== undefined) process.exitCode = 1;
}

function verifyCapture(bytes: Uint8Array, opener: Opener) {
  const report: VerifyReport = { messages: 0, verified: 0, failed: [], gaps: 0, duplicates: 0, audit: "whole" };
  const sequences = new Sequences();
  for (const part of splitCapture(bytes)) {
    report.messages++;
    try {
      if ("refusal" in part) throw part.refusal;
      const { kid, message, unchecked, claim } = opener.open(part.message);
      if (message !== null) sequences.add(kid, message);
      else if (claim !== null) sequences.claim(kid, claim.boot, claim.seq);
      if (unchecked === null) report.verified++;
      else report.unchecked = (report.unchecked ?? 0) + 1;
    } catch (error) {
      const { reason, message } = error as Refusal;
      report.failed.push({
        kid: "",
        boot: null,
        seq: null,
        reason: `${reason ?? "error"} at ${part.where}: ${message}`,
      });
    }
  }
  return Object.assign(report, sequences.report());
}

function print(path: string, report: VerifyReport): void {
  const lines = [
    `${path}: ${report.messages} messages, ${report.verified} verified, ${report.failed.length} failed`,
    `gaps ${report.gaps}, duplicates ${report.duplicates}, audit ${report.audit}${report.detail ? `: ${report.detail}` : ""}`,
  ];
  const { unchecked, evidence, declared, cut } = report;
  const told = [
    ...(declared === undefined ? [] : [`${declared} more messages are missing, and their device says so`]),
    ...(cut === undefined
      ? []
      : [`${cut} ${cut === 1 ? "boot" : "boots"} ended by a power cut or a reset, as the device says`]),
  ];
  if (told.length > 0) lines.push(`declared: ${told.join("; ")}`);
  if (unchecked !== undefined) {
    lines.push(`${unchecked} not proven: a tag alone would prove them, and its key is not here (--keys DIR)`);
  }
  if (evidence !== undefined) {
    const { signed, countersigned, mac } = evidence;
    lines.push(
      `evidence: ${signed} signed by the device, ${countersigned} countersigned by the gateway, ${mac} mac alone`,
    );
  }
  for (const { kid, boot, seq, reason } of report.failed.slice(0, 20)) {
    lines.push(`  failed: ${kid || "?"}${boot === null ? "" : ` boot ${boot} seq ${seq}`}: ${reason}`);
  }
  if (report.failed.length > 20) lines.push(`  … and ${report.failed.length - 20} more (--json lists them all)`);
  process.stdout.write(`${lines.join("\n")}\n`);
}
