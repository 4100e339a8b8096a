import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { giveKeys } from "../../cli/enroll/port.ts";
import { createProvisionConsole, type Provision, readIdentity } from "../../firmware/provision.ts";
import { createWire } from "../../gateway/wire.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import { readLines } from "../../protocol/lines.node.ts";
import { ownFolder } from "../support/folder.ts";
import { createSiteFolder } from "../support/site.ts";

const folder = ownFolder();
let ward: ReturnType<typeof createSiteFolder>;

beforeEach(async () => {
  ward = createSiteFolder(join(folder(), "ward"));
  await ward.keygen({ site: "ward 7" });
});

describe("a board on a line", () => {
  const seed = new Uint8Array(32).fill(1);
  const { publicKey, kid } = nodeSigner(seed);
  const provision: Provision = {
    publicKey,
    seed,
    ueid: Uint8Array.of(1, ...new Uint8Array(16)),
    psk: null,
    gateways: [],
    sitePublicKey: new Uint8Array(32),
    releasePublicKey: null,
  };

  /** A board that greets once; `open`: in its window. */
  function board(storage = createMemoryStorage(), open = true) {
    const [near, far] = createWire();
    const heard: string[] = [];
    const console = createProvisionConsole({
      storage,
      crypto: nodeCrypto,
      model: "simulated",
      open: () => open,
      onProvisioned() {},
    });
    readLines(
      near,
      (line) => {
        heard.push(line);
        const answer = console.take(line);
        if (answer !== null) near.write(`${answer}\n`);
      },
      () => {},
    );
    return { far, near, storage, heard, greet: () => near.write(`${console.greeting()}\r\n`) };
  }
  const give = (far: ReturnType<typeof board>["far"], replaces: string | null = null, said: string[] = []) =>
    giveKeys(far, { provision, replaces, say: (sentence) => said.push(sentence) });

  test("is given its keys when it asks, and nothing is sent before", async () => {
    const one = board();
    one.near.write("boot\nmax30102: ok\n");
    const given = give(one.far);
    await new Promise(setImmediate);
    expect(one.heard).toEqual([]);
    one.greet();
    await given;
    expect(readIdentity(one.storage)).toEqual(provision);
  });

  test("that has another key keeps it, unless that is named", async () => {
    const one = board();
    one.greet();
    await give(one.far);
    const seed = new Uint8Array(32).fill(2);
    const next = { ...provision, seed, publicKey: nodeSigner(seed).publicKey };
    const again = board(one.storage);
    again.greet();
    await expect(giveKeys(again.far, { provision: next, replaces: null, say() {} })).rejects.toThrow(
      `has the key ${kidText(kid)} already; for a new one in its place give --rotate ${kidText(kid)}`,
    );
    const last = board(one.storage);
    last.greet();
    await giveKeys(last.far, { provision: next, replaces: kidText(kid), say() {} });
    expect(readIdentity(one.storage)).toEqual(next);
  });

  test("that has this key already gets what else has changed, such as a new gateway", async () => {
    const one = board();
    one.greet();
    await give(one.far);
    const again = board(one.storage);
    again.greet();
    const changed = { ...provision, gateways: [new Uint8Array(32).fill(8)] };
    await giveKeys(again.far, { provision: changed, replaces: null, say() {} });
    expect(readIdentity(one.storage)).toEqual(changed);
  });

  test("that has none is not the one whose key was to be replaced", async () => {
    const one = board();
    one.greet();
    await expect(give(one.far, "0123456789abcdef")).rejects.toThrow(/has no keys, so it is not 0123456789abcdef/);
    expect(one.heard).toEqual([]);
  });

  test("that refuses says why; one that runs already is told to a person", async () => {
    const one = board();
    const said: string[] = [];
    const given = give(one.far, null, said);
    one.near.write("~AAAA\nvsp-provision-refused 1 closed\n");
    await expect(given).rejects.toThrow(/refused its keys \(closed\): its console is closed: press its reset button/);
    expect(said).toEqual([expect.stringMatching(/press its reset button/)]);
  });

  test("that says it has become another is not believed", async () => {
    const one = board();
    const given = give(one.far);
    one.near.write("vsp-unprovisioned 1 x\nvsp-provisioned 1 0123456789abcdef\n");
    await expect(given).rejects.toThrow(/says that it is 0123456789abcdef now/);
  });

  test("that never asks, never answers, or goes away ends the waiting", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const silent = expect(give(board().far)).rejects.toThrow(/no board asked for keys in 60 s/);
      await vi.advanceTimersByTimeAsync(60_000);
      await silent;
      const [near, far] = createWire();
      const deaf = expect(give(far)).rejects.toThrow(/did not answer in 5 s/);
      near.write("vsp-unprovisioned 1 x\n");
      near.resume();
      await vi.advanceTimersByTimeAsync(0);
      await new Promise(setImmediate);
      await vi.advanceTimersByTimeAsync(5_000);
      await deaf;
      const gone = board();
      const left = expect(give(gone.far)).rejects.toThrow(/the port went away/);
      gone.far.destroy();
      await left;
    } finally {
      vi.useRealTimers();
    }
  });
});
