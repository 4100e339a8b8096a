/** The rules of section 7 as they are asked, and the fence before the parser: no sockets. */
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFence, fenced } from "../../gateway/broker/fence.ts";
import { createRules, type Greeting } from "../../gateway/broker/rules.ts";
import { startBroker } from "../../gateway/broker.ts";

const A = "00000000000000aa";
const B = "00000000000000bb";
const GATEWAY = "gw-00000000000000cc";
const rules = createRules("ward.3", GATEWAY, (kid) => ([A, B].includes(kid) ? null : "is not enrolled"));
const publishes = (name: string, topic: string, retain = false, qos = 1) =>
  rules.publicationFault(name, { topic, retain, qos }) === null;

describe("a device", () => {
  test("publishes on its own d, b and w, and may have the last two retained", () => {
    for (const letter of ["d", "b", "w"]) expect(publishes(A, `vsp/1/ward.3/${A}/${letter}`)).toBe(true);
    for (const letter of ["b", "w"]) expect(publishes(A, `vsp/1/ward.3/${A}/${letter}`, true)).toBe(true);
    expect(publishes(A, `vsp/1/ward.3/${A}/d`, true)).toBe(false);
    expect(publishes(A, `vsp/1/ward.3/${A}/d`, false, 2)).toBe(false);
  });

  test.each([
    `vsp/1/ward.3/${B}/d`,
    `vsp/1/ward.3/${A}/c`,
    `vsp/1/ward.3/${A}/x`,
    // Names that every JavaScript object has.
    `vsp/1/ward.3/${A}/constructor`,
    `vsp/1/ward.3/${A}/__proto__`,
    `vsp/1/ward.3/${A}/d/d`,
    `vsp/1/ward.3/${A}`,
    `vsp/1/wardx3/${A}/d`,
    `vsp/1/ward.3/gw/00000000000000cc/s`,
    `/vsp/1/ward.3/${A}/d`,
    "$SYS/broker",
    "",
  ])("does not publish on %j", (topic) => {
    expect(publishes(A, topic)).toBe(false);
    expect(publishes(A, topic, true)).toBe(false);
  });

  test("that is unknown publishes, hears and subscribes to nothing", () => {
    const stranger = "00000000000000dd";
    expect(publishes(stranger, `vsp/1/ward.3/${stranger}/d`)).toBe(false);
    expect(rules.maySubscribe(stranger, `vsp/1/ward.3/${stranger}/c`)).toBe(false);
    expect(rules.mayHear(stranger, `vsp/1/ward.3/${stranger}/c`)).toBe(false);
  });
});

test("the gateway publishes commands that are not retained, and nothing of a device's", () => {
  expect(publishes(GATEWAY, `vsp/1/ward.3/${A}/c`)).toBe(true);
  expect(publishes(GATEWAY, `vsp/1/ward.3/${A}/c`, true)).toBe(false);
  for (const topic of [`vsp/1/ward.3/${A}/d`, `vsp/1/ward.3/${A}/b`, "vsp/1/ward.3/x/c", `vsp/1/other/${A}/c`])
    expect(publishes(GATEWAY, topic), topic).toBe(false);
});

test("the gateway publishes its own state, retained, and leaves it as its will; nobody else does", () => {
  const topic = "vsp/1/ward.3/gw/00000000000000cc/s";
  expect(publishes(GATEWAY, topic, true)).toBe(true);
  expect(publishes(GATEWAY, topic, false)).toBe(false);
  expect(publishes(GATEWAY, "vsp/1/ward.3/gw/00000000000000dd/s", true)).toBe(false);
  expect(publishes(A, topic, true)).toBe(false);
  const greeting = { clientId: GATEWAY, username: GATEWAY, clean: false, identity: GATEWAY };
  expect(rules.greetingFault({ ...greeting, will: { topic, retain: true, qos: 1 } })).toBeNull();
});

test("who subscribes to what, and hears what: every pair of filter and name", () => {
  const filters = {
    [`vsp/1/ward.3/${A}/c`]: [A],
    [`vsp/1/ward.3/${B}/c`]: [B],
    "vsp/1/ward.3/+/d": [GATEWAY],
    "vsp/1/ward.3/+/b": [GATEWAY],
    "vsp/1/ward.3/+/w": [GATEWAY],
  };
  for (const [filter, who] of Object.entries(filters))
    for (const name of [A, B, GATEWAY])
      expect(rules.maySubscribe(name, filter), `${name} ${filter}`).toBe(who.includes(name));
  for (const filter of [
    "#",
    "+/+/+/+/+",
    "vsp/1/ward.3/+/c",
    `$share/x/vsp/1/ward.3/${A}/c`,
    "$share/ingest/vsp/1/ward.3/+/d",
    "vsp/1/+/+/d",
    "$SYS/#",
  ])
    for (const name of [A, GATEWAY]) expect(rules.maySubscribe(name, filter), `${name} ${filter}`).toBe(false);
  expect(rules.mayHear(A, `vsp/1/ward.3/${A}/c`)).toBe(true);
  expect(rules.mayHear(A, `vsp/1/ward.3/${B}/c`)).toBe(false);
  expect(rules.mayHear(A, `vsp/1/ward.3/${A}/d`)).toBe(false);
  expect(rules.mayHear(GATEWAY, `vsp/1/ward.3/${A}/d`)).toBe(true);
  expect(rules.mayHear(GATEWAY, `vsp/1/ward.3/${A}/c`)).toBe(false);
});

describe("a greeting", () => {
  const will = { topic: `vsp/1/ward.3/${A}/w`, retain: true, qos: 1 };
  const greeting: Greeting = { clientId: A, username: A, clean: true, will, identity: A };
  const fault = (change: Partial<Greeting>) => rules.greetingFault({ ...greeting, ...change });

  test("of a device that is who its certificate says is taken", () => {
    expect(fault({})).toBeNull();
    expect(fault({ identity: undefined, will: undefined })).toBeNull();
    expect(
      fault({ clientId: GATEWAY, username: GATEWAY, identity: GATEWAY, clean: false, will: undefined }),
    ).toBeNull();
  });

  test.each<[string, Partial<Greeting>, RegExp]>([
    ["with another user name", { username: B }, /both must be its kid/],
    ["without a user name", { username: undefined }, /both must be its kid/],
    ["with another's certificate", { identity: B }, /its certificate is for "00000000000000bb"/],
    ["with a nameless certificate", { identity: "" }, /its certificate is for ""/],
    [
      "of a device that is not enrolled",
      { clientId: "00000000000000dd", username: "00000000000000dd", identity: undefined },
      /is not enrolled/,
    ],
    ["of no kid", { clientId: "nurse", username: "nurse", identity: "nurse" }, /is no kid/],
    ["that wants a kept session", { clean: false }, /clean session 1/],
    ["with a will on another's topic", { will: { ...will, topic: `vsp/1/ward.3/${B}/w` } }, /its will publishes on/],
    ["with a will that is data", { will: { ...will, topic: `vsp/1/ward.3/${A}/d`, retain: false } }, /own topic w/],
    ["of a gateway with a will", { clientId: GATEWAY, username: GATEWAY, identity: GATEWAY }, /own topic s, retained/],
  ])("%s is refused", (_what, change, words) => {
    expect(fault(change)).toMatch(words);
  });

  test("is told in one short line, whatever it says of itself", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: "binary" }), (name) => {
        const told = fault({ clientId: name, username: `${name}x` })!;
        expect(told).not.toMatch(/\p{Cc}/u);
        expect(told.length).toBeLessThan(900);
      }),
    );
  });
});

describe("the fence before the parser", () => {
  /** A packet with this many bytes behind its fixed header. */
  const packet = (length: number) => {
    const header = [0x30];
    for (let rest = length; ; rest >>= 7) {
      header.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0xff)]);
  };

  test("lets every packet up to its limit through, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(500), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
        (lengths, cuts) => {
          const all = Buffer.concat(lengths.map(packet));
          const check = createFence(500);
          for (let at = 0, cut = 0; at < all.length; cut++) {
            const end = at + cuts[cut % cuts.length]!;
            expect(check(all.subarray(at, end))).toBeNull();
            at = end;
          }
        },
      ),
    );
  });

  test("names the first packet above it when it is announced, before a byte of it has come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(500), { maxLength: 5 }),
        fc.integer({ min: 501, max: 268_435_455 }),
        (lengths, long) => {
          const check = createFence(500);
          const before = Buffer.concat([...lengths.map(packet), packet(501).subarray(0, 1)]);
          expect(check(before)).toBeNull();
          const digits: number[] = [];
          for (let rest = long; rest > 0; rest = Math.floor(rest / 128))
            digits.push((rest % 128) | (rest > 127 ? 128 : 0));
          expect(check(Uint8Array.from(digits))).toBe(long);
        },
      ),
    );
  });

  test("takes a length that does not end for an infinite one", () => {
    expect(createFence(500)(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01))).toBe(Number.POSITIVE_INFINITY);
  });

  test("ends the connection, and what came before is still read", async () => {
    const inner = new PassThrough();
    const lengths: number[] = [];
    const outer = fenced(inner, 10, (length) => lengths.push(length));
    const read: Buffer[] = [];
    outer.on("data", (chunk) => read.push(chunk));
    inner.write(packet(3));
    await new Promise((resolve) => setImmediate(resolve));
    inner.write(packet(11));
    await new Promise((resolve) => outer.once("close", resolve));
    expect(lengths).toEqual([11]);
    expect(Buffer.concat(read)).toEqual(packet(3));
    expect(inner.destroyed).toBe(true);
  });
});

test("without TLS the broker listens on loopback only, unless the network is said to be trusted", async () => {
  const options = { site: "test", gatewayId: GATEWAY, enrolled: () => true };
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "localhost.example", "127.0.0.1.example"])
    await expect(startBroker({ ...options, host }), host).rejects.toThrow(/without TLS .*docs\/tls\.md/);
  const trusted = await startBroker({ ...options, host: "0.0.0.0", plainNetwork: true });
  await trusted.close();
});
