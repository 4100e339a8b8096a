/** vitalwire verify at its front door, of a store and of captures in modes M and E, with and without the pre-shared key. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { writePsk } from "../../cli/keys/psk-file.ts";
import { keyFileWrapping } from "../../cli/keys/wrapping.ts";
import { writeCards } from "../../cli/keys.ts";
import { verify } from "../../cli/verify.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { toHex } from "../../protocol/keys.ts";
import { ownFolder } from "../support/folder.ts";
import { createTestGateway, site } from "../support/gateway.ts";
import { manifestOf } from "../support/manifests.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const folder = ownFolder();
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});
const [, M, , E] = MODES;
const wrappingKey = new Uint8Array(32).fill(9);

test("a store and its captures: what a manifest signed is verified, the rest is counted apart until the key is given", async () => {
  const store = join(folder(), "store.db");
  const secret = join(folder(), "wrapping");
  writeFileSync(secret, `${toHex(wrappingKey)}\n`, { mode: 0o600 });
  const bench = createTestGateway(openSqliteStore(store), { countersign: false });
  const cards: { kid: Uint8Array; card: Uint8Array }[] = [];
  const captures: string[] = [];
  for (const mode of [M, E]) {
    const device = createSpeaker(mode, mode.name);
    cards.push({ kid: device.kid, card: device.enrollAt(bench.gateway) });
    bench.gateway.devices.givePsk(device.kid, device.psk!, mode.encrypt);
    writePsk(folder(), { kid: device.kid, psk: device.psk!, encrypts: mode.encrypt }, keyFileWrapping(wrappingKey));
    const messages = [device.birth(), device.data(1), device.data(2)];
    const sealed = [...messages, manifestOf(3, messages), device.data(4)].map(device.seal);
    for (const bytes of sealed) bench.gateway.receive(bytes, device.origin);
    captures.push(join(folder(), `${mode.mode}${mode.encrypt}.vsp`));
    // As lines, and as a sequence that begins in the middle of a boot.
    writeFileSync(captures.at(-1)!, mode === M ? sealed.map(encodeLine).join("") : Buffer.concat(sealed.toReversed()));
  }
  bench.settle();
  bench.gateway.close();
  writeCards(folder(), site.publicKey, cards);

  /** Whether a program may take it for verified. */
  let exit: number | string | null | undefined;
  const printed = async (file: string | undefined, options: object) => {
    let out = "";
    process.exitCode = 0;
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      out += text;
      return true;
    });
    await verify(file, { cards: folder(), ...options });
    vi.restoreAllMocks();
    exit = process.exitCode;
    return out;
  };
  const report = async (file: string | undefined, options: object) =>
    JSON.parse(await printed(file, { json: true, ...options }));
  const keys = { keys: folder(), keyFile: secret };
  const whole = { failed: [], gaps: 0, duplicates: 0, audit: "whole" };
  const evidence = { signed: 8, countersigned: 0, mac: 2 };
  const told = async (file: string | undefined, options: object) => ({ ...(await report(file, options)), exit });
  const part = { ...whole, exit: 1 };
  const all = { ...whole, exit: 0 };
  expect(await told(undefined, { store })).toEqual({ ...part, messages: 10, verified: 8, unchecked: 2, evidence });
  expect(await told(undefined, { store, ...keys })).toEqual({ ...all, messages: 10, verified: 10, evidence });
  expect(await told(captures[0]!, {})).toEqual({ ...part, messages: 5, verified: 1, unchecked: 4 });
  expect(await told(captures[0]!, keys)).toEqual({ ...all, messages: 5, verified: 5 });
  // Encrypted messages before the birth stay closed: nothing tells their nonce.
  expect(await told(captures[1]!, keys)).toEqual({ ...part, messages: 5, verified: 1, unchecked: 4 });
  const words = await printed(undefined, { store });
  expect(words).toContain("2 not proven: a tag alone would prove them, and its key is not here (--keys DIR)");
  expect(words).toContain("evidence: 8 signed by the device, 0 countersigned by the gateway, 2 mac alone");
});
