/** How a board takes its keys: only when it may, only whole, never over others without naming them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Storage } from "../../boards/board.ts";
import { createMemoryStorage } from "../../boards/simulated.ts";
import {
  createProvisionConsole,
  IDENTITY_RECORD,
  MAX_PROVISION_LINE,
  type Provision,
  provisionRequest,
  readIdentity,
  readSaying,
} from "../../firmware/provision.ts";
import { toBase64 } from "../../protocol/base64.ts";
import { type Cbor, encode, map } from "../../protocol/cbor.ts";
import { crc32 } from "../../protocol/crc32.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { kidText, toHex } from "../../protocol/keys.ts";
import { device, gateway, reasonOf, site, testSigner, vectors } from "../protocol/support.ts";

const seed = new Uint8Array(32).fill(1);
const first = nodeSigner(seed);
const second = nodeSigner(new Uint8Array(32).fill(2));
const kid = kidText(first.kid);

const provision: Provision = {
  publicKey: first.publicKey,
  ueid: Uint8Array.of(1, ...new Uint8Array(16).fill(7)),
  seed,
  psk: new Uint8Array(32).fill(3),
  gateways: [gateway.publicKey],
  sitePublicKey: site.publicKey,
  releasePublicKey: device.publicKey,
};
const other: Provision = { ...provision, publicKey: second.publicKey, seed: new Uint8Array(32).fill(2) };

function board(storage: Storage = createMemoryStorage()) {
  const given: Provision[] = [];
  const state = { open: false };
  const console = createProvisionConsole({
    storage,
    crypto: nodeCrypto,
    model: "simulated",
    open: () => state.open,
    matches: (one, publicKey) => toHex(nodeSigner(one).publicKey) === toHex(publicKey),
    onProvisioned: (one) => given.push(one),
  });
  return { console, storage, given, state, take: (line: string) => console.take(line.trimEnd()) };
}

/** Any CBOR as a request, framed as it should be. */
function request(content: Cbor, spoil = 0): string {
  const encoded = encode(content);
  const framed = new Uint8Array(encoded.length + 4);
  framed.set(encoded);
  new DataView(framed.buffer).setUint32(encoded.length, (crc32(encoded) ^ spoil) >>> 0, true);
  return `vsp-provision 1 ${toBase64(framed)}`;
}

const full: [number, Cbor][] = [
  [1, provision.publicKey],
  [2, provision.ueid],
  [3, seed],
  [4, provision.psk],
  [5, [gateway.publicKey]],
  [6, site.publicKey],
  [7, device.publicKey],
];
const changed = (entry: number, value?: Cbor) =>
  map([...full.filter(([key]) => key !== entry), ...(value === undefined ? [] : [[entry, value] as [number, Cbor]])]);

describe("a board without keys", () => {
  test("says so, takes the first that it is given, and keeps them", () => {
    const one = board();
    expect(one.console.greeting()).toBe("vsp-unprovisioned 1 simulated");
    expect(readIdentity(one.storage)).toBeNull();
    expect(one.take(provisionRequest(provision, null))).toBe(`vsp-provisioned 1 ${kid}`);
    expect(one.given).toEqual([provision]);
    expect(readIdentity(one.storage)).toEqual(provision);
    expect(one.console.greeting()).toBe(`vsp-console 1 ${kid}`);
    expect(board(one.storage).console.greeting()).toBe(`vsp-console 1 ${kid}`);
  });

  test("takes what only signs and what only macs, and nothing with neither key", () => {
    for (const part of [{ psk: null }, { seed: null }, { seed: null, gateways: [], releasePublicKey: null }]) {
      const one = board();
      expect(one.take(provisionRequest({ ...provision, ...part }, null))).toBe(`vsp-provisioned 1 ${kid}`);
      expect(readIdentity(one.storage)).toEqual({ ...provision, ...part });
    }
    expect(reasonOf(() => provisionRequest({ ...provision, seed: null, psk: null }, null))).toBe("payload");
  });

  test("refuses a request that says it replaces a key, for it is not the board that was meant", () => {
    const one = board();
    expect(one.take(provisionRequest(provision, second.kid))).toBe("vsp-provision-refused 1 kid");
    expect(readIdentity(one.storage)).toBeNull();
  });

  test("refuses a seed that is not the public key's", () => {
    const one = board();
    expect(one.take(provisionRequest({ ...provision, seed: new Uint8Array(32) }, null))).toBe(
      "vsp-provision-refused 1 seed",
    );
    expect(readIdentity(one.storage)).toBeNull();
  });

  test("whose storage keeps nothing, or breaks, says so and stays without", () => {
    const deaf: Storage = { read: () => undefined, write() {} };
    expect(board(deaf).take(provisionRequest(provision, null))).toBe("vsp-provision-refused 1 storage");
    const broken: Storage = {
      read: () => undefined,
      write() {
        throw new Error("flash");
      },
    };
    const one = board(broken);
    expect(one.take(provisionRequest(provision, null))).toBe("vsp-provision-refused 1 storage");
    expect(one.given).toEqual([]);
    expect(one.console.greeting()).toMatch(/^vsp-unprovisioned/);
  });
});

describe("a board with keys", () => {
  const enrolled = () => {
    const one = board();
    one.take(provisionRequest(provision, null));
    one.given.length = 0;
    return one;
  };

  test("takes none while its console is closed, whatever the request says", () => {
    const one = enrolled();
    for (const replaces of [null, first.kid])
      expect(one.take(provisionRequest(other, replaces))).toBe("vsp-provision-refused 1 closed");
    expect(readIdentity(one.storage)).toEqual(provision);
  });

  test("takes new ones in its window from who names the key that it has, and from nobody else", () => {
    const one = enrolled();
    one.state.open = true;
    for (const replaces of [null, second.kid])
      expect(one.take(provisionRequest(other, replaces))).toBe("vsp-provision-refused 1 kid");
    expect(readIdentity(one.storage)).toEqual(provision);
    expect(one.take(provisionRequest(other, first.kid))).toBe(`vsp-provisioned 1 ${kidText(second.kid)}`);
    expect(readIdentity(one.storage)).toEqual(other);
    expect(one.given).toEqual([other]);
  });

  test("answers the same request again without a new write", () => {
    const storage = createMemoryStorage();
    let writes = 0;
    const one = board({
      read: storage.read,
      write(name, bytes) {
        writes++;
        storage.write(name, bytes);
      },
    });
    one.state.open = true;
    for (let i = 0; i < 2; i++) expect(one.take(provisionRequest(provision, null))).toBe(`vsp-provisioned 1 ${kid}`);
    expect(writes).toBe(1);
    expect(one.given).toEqual([provision]);
  });

  test("that are damaged says so instead of running with others", () => {
    const one = enrolled();
    one.storage.write(IDENTITY_RECORD, one.storage.read(IDENTITY_RECORD)!.subarray(1));
    expect(() => board(one.storage)).toThrow(/cbor/);
  });
});

describe("a request", () => {
  test("is one line that fits, also with all there can be in it", () => {
    const largest = { ...provision, gateways: new Array(8).fill(gateway.publicKey) };
    const line = provisionRequest(largest, first.kid);
    expect(line).toMatch(/^vsp-provision 1 [A-Za-z0-9+/]+\n$/);
    expect(line.length).toBeLessThanOrEqual(MAX_PROVISION_LINE);
    expect(reasonOf(() => provisionRequest({ ...largest, gateways: new Array(9).fill(gateway.publicKey) }, null))).toBe(
      "payload",
    );
  });

  test("whose bytes were garbled is refused by its check", () => {
    const line = request(map(full));
    expect(board().take(line)).toBe(`vsp-provisioned 1 ${kid}`);
    expect(board().take(request(map(full), 1))).toBe("vsp-provision-refused 1 crc");
    for (const text of [line.slice(0, -1), `${line}=`, `${line}!`, "vsp-provision 1 ", "vsp-provision 1 AAAA"])
      expect(board().console.take(text)).toBe("vsp-provision-refused 1 crc");
  });

  test("of another form is refused, and leaves the board as it was", () => {
    const wrong: Cbor[] = [
      [],
      map([]),
      changed(1),
      changed(2),
      changed(5),
      changed(6),
      changed(1, seed.subarray(1)),
      changed(2, Uint8Array.of(2, ...new Uint8Array(16))),
      changed(2, new Uint8Array(16)),
      changed(3, "seed"),
      changed(4, new Uint8Array(31)),
      changed(5, gateway.publicKey),
      changed(5, [gateway.publicKey.subarray(1)]),
      changed(5, [1]),
      changed(6, null),
      changed(7, new Uint8Array(33)),
      changed(8, new Uint8Array(7)),
      changed(9, 1),
      changed(0, 1),
      map([...full, ["x", 1]]),
    ];
    for (const content of wrong) {
      const one = board();
      expect(one.take(request(content))).toBe("vsp-provision-refused 1 form");
      expect(readIdentity(one.storage)).toBeNull();
    }
    expect(board().take(`vsp-provision 1 ${"A".repeat(MAX_PROVISION_LINE)}`)).toBe("vsp-provision-refused 1 form");
  });

  test("is the only kind of line that the console answers", () => {
    const one = board();
    for (const line of ["", "vsp-provision", "vsp-provision 2 AAAA", " vsp-provision 1 AAAA", "~AAAA", "reset()"])
      expect(one.console.take(line)).toBeNull();
  });

  test("of any bytes is answered and never breaks the board", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
        const one = board();
        expect(one.console.take(`vsp-provision 1 ${text}`)).toMatch(/^vsp-provision-refused 1 (crc|form)$/);
      }),
    );
  });
});

test("what a board says is read as what it means, and its log as nothing", () => {
  expect(readSaying("vsp-unprovisioned 1 esp32")).toEqual({ kind: "waiting", model: "esp32" });
  expect(readSaying(`vsp-console 1 ${kid}`)).toEqual({ kind: "console", kid });
  expect(readSaying(`vsp-provisioned 1 ${kid}`)).toEqual({ kind: "done", kid });
  expect(readSaying("vsp-provision-refused 1 closed")).toEqual({ kind: "refused", why: "closed" });
  for (const line of ["", "max30102: ok", "~vsp-console 1 x", "vsp-console 2 x"]) expect(readSaying(line)).toBeNull();
});

test("the committed request is made byte for byte, and taken", () => {
  const { line, decoded, replaces } = vectors("objects").provision;
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
  const example: Provision = {
    publicKey: bytes(decoded.publicKey),
    ueid: bytes(decoded.ueid),
    seed: bytes(decoded.seed),
    psk: bytes(decoded.psk),
    gateways: decoded.gateways.map(bytes),
    sitePublicKey: bytes(decoded.sitePublicKey),
    releasePublicKey: bytes(decoded.releasePublicKey),
  };
  expect(toHex(testSigner("TEST-ONLY vitalwire device").publicKey)).toBe(decoded.publicKey);
  expect(provisionRequest(example, replaces)).toBe(`${line}\n`);
  const one = board();
  one.take(line);
  expect(one.given).toEqual([example]);
});
