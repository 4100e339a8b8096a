/** The receiver in modes M and E: which key, which evidence, and what a manifest makes of it. */
import { describe, expect, test } from "vitest";
import { decodeLevelChange, levelsOf } from "../../gateway/evidence.ts";
import { readBoot } from "../../gateway/read.ts";
import { decodeRecord, openStored } from "../../gateway/record.ts";
import { birthKey, bootKey } from "../../protocol/boot-keys.ts";
import { encodeCard } from "../../protocol/card.ts";
import { sign1 } from "../../protocol/cose.ts";
import { verifyCountersignature } from "../../protocol/countersign.ts";
import { REASON_SUPERSEDED } from "../../protocol/crl.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0, encrypt0 } from "../../protocol/encrypt0.ts";
import { modeOf } from "../../protocol/header.ts";
import { decodeMac0, mac0 } from "../../protocol/mac0.ts";
import { encodeMessage } from "../../protocol/messages.ts";
import { REASONS } from "../../protocol/refusal.ts";
import { createTestDevice, createTestGateway, gatewayKey, site } from "../support/gateway.ts";
import { manifestOf } from "../support/manifests.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const [S, M, ES, E] = MODES;
const presence = { type: "presence", boot: 1, connection: 1, state: 1 } as const;

const setUp = (mode: (typeof MODES)[number], settings = {}) => {
  const bench = createTestGateway(undefined, settings);
  const device = createSpeaker(mode);
  device.join(bench.gateway);
  const receive = (bytes: Uint8Array) => bench.gateway.receive(bytes, device.origin);
  const rows = () => [...bench.gateway.store.messages()];
  const secret = { psk: device.psk!, kid: device.kid, boot: 1 };
  const bn = new Uint8Array(16).fill(7);
  const key = (label: "d2g mac" | "g2d mac" | "d2g enc" | "d2g iv" | "g2d enc" | "g2d iv") =>
    bootKey(label, secret, bn, nodeCrypto);
  return { bench, device, receive, rows, secret, key, store: bench.gateway.store };
};

describe.each([
  [S, [3, 3, 3], ["S", "S", "S"]],
  [M, [2, 2, 2], ["M", "M", "M"]],
  [ES, [3, 3, 3], ["S", "S", "S"]],
  [E, [2, 2, 2], ["M", "M", "E"]],
] as const)("mode $name", (mode, evidence, kept) => {
  test("is stored with the level that it proves, opens again, and is a duplicate the second time", () => {
    const { bench, device, receive, rows, store } = setUp(mode);
    const messages = [device.birth(), presence, device.data(1)];
    const sealed = messages.map(device.seal);
    for (const bytes of sealed) expect(receive(bytes).status).toBe("accepted");
    for (const bytes of sealed) expect(receive(bytes).status).toBe("duplicate");
    bench.settle();
    for (const bytes of sealed) expect(receive(bytes).status).toBe("duplicate");
    expect(rows().map((row) => row.evidence)).toEqual(evidence);
    expect(rows().map((row) => modeOf(row.message))).toEqual(kept);
    expect(rows().map((row) => encodeMessage(openStored(row)))).toEqual(messages.map(encodeMessage));
    // Of E around S what the device signed is kept; of all else what was received.
    if (mode !== ES) expect(Buffer.compare(rows()[2].message, sealed[2])).toBe(0);
    expect(readBoot(store, device.kid, 1)!.evidence).toBe(evidence[0]);
    expect(store.boots(device.kid)[0].next).toBe(2);
  });

  test("what the gateway countersigned is what it stored, and nothing else", () => {
    const { bench, device, receive, rows } = setUp(mode);
    for (const message of [device.birth(), device.data(1)]) receive(device.seal(message));
    bench.settle();
    for (const row of rows()) {
      const { countersignature, plaintext } = decodeRecord(row.record);
      expect(countersignature !== null).toBe(row.evidence === 2);
      expect(plaintext !== null).toBe(modeOf(row.message) === "E");
      if (countersignature === null) continue;
      const target = modeOf(row.message) === "M" ? decodeMac0(row.message) : decodeEncrypt0(row.message);
      const holds = (other: Uint8Array | null, key = gatewayKey.publicKey) =>
        verifyCountersignature(countersignature, target, other, key, nodeCrypto);
      expect(holds(plaintext)).toBe(true);
      expect(holds(plaintext, device.signer.publicKey)).toBe(false);
      if (plaintext !== null) expect(holds(encodeMessage(device.data(1, [5])))).toBe(false);
    }
  });
});

describe("which key", () => {
  test("data in mode M or E before the birth are refused as signature and settle nothing; the birth lets them in", () => {
    for (const mode of [M, E, ES]) {
      const { bench, device, receive } = setUp(mode);
      const early = device.seal(device.data(1));
      expect(receive(early)).toMatchObject({
        reason: "signature",
        detail: expect.stringContaining("the birth of boot 1 is not here"),
      });
      expect(bench.gateway.devices.get(device.kid)!.boots.size).toBe(0);
      receive(device.seal(device.birth()));
      expect(receive(early).status).toBe("accepted");
      bench.settle();
      // In another process the nonce comes from the store.
      const again = createTestGateway(bench.gateway.store);
      device.join(again.gateway);
      expect(again.gateway.receive(device.seal(device.data(2)), device.origin).status).toBe("accepted");
    }
  });

  test("without a pre-shared key modes M and E are refused as header, though all else is right", () => {
    for (const mode of [M, E, ES]) {
      const bench = createTestGateway();
      const device = createSpeaker(mode);
      device.enrollAt(bench.gateway);
      const message = mode === ES ? device.data(1) : device.birth();
      expect(bench.gateway.receive(device.seal(message), device.origin)).toMatchObject({
        reason: "header",
        detail: expect.stringContaining("no pre-shared key is here"),
      });
    }
  });

  test("a birth under the key of data, data under the key of births, and either under another boot's are refused", () => {
    const { device, receive, secret, key } = setUp(M);
    receive(device.seal(device.birth()));
    const seal = (message: Parameters<typeof encodeMessage>[0], by: Uint8Array) =>
      receive(mac0(encodeMessage(message), device.kid, by, nodeCrypto));
    const other = birthKey({ ...secret, boot: 2 }, nodeCrypto);
    expect(seal(device.data(1), birthKey(secret, nodeCrypto))).toMatchObject({ reason: "signature" });
    expect(seal(presence, key("d2g mac"))).toMatchObject({ reason: "signature" });
    expect(seal(presence, other)).toMatchObject({ reason: "signature" });
    expect(seal(device.data(1), key("g2d mac"))).toMatchObject({ reason: "signature" });
    expect(seal(device.data(1), key("d2g mac")).status).toBe("accepted");
  });

  test("what the gateway has sent is refused when it comes back: its own acks in every mode", () => {
    for (const mode of MODES) {
      const { bench, device, receive } = setUp(mode);
      for (const message of [device.birth(), device.data(1)]) receive(device.seal(message));
      bench.settle();
      expect(device.raw.length).toBeGreaterThan(0);
      for (const bytes of device.raw) expect(receive(bytes).status).toBe("refused");
      bench.settle();
      expect(bench.stored).toHaveLength(2);
    }
  });

  test("a downlink message under the uplink's own keys is refused: as signature in M, as payload in E", () => {
    const { device, receive, key } = setUp(E);
    receive(device.seal(device.birth()));
    const ack = encodeMessage({
      ...{ type: "ack", kid: device.kid, boot: 1, n: 9, ofBoot: 1, next: 4 },
      ...{ bitmap: new Uint8Array(0), refused: [] },
    } as const);
    expect(receive(mac0(ack, device.kid, key("d2g mac"), nodeCrypto))).toMatchObject({ reason: "signature" });
    const keys = { key: key("d2g enc"), iv: key("d2g iv") };
    expect(receive(encrypt0(ack, device.kid, keys, nodeAead))).toMatchObject({ reason: "payload" });
  });

  test("a signature that does not hold inside E is refused as signature, and settles nothing", () => {
    const { bench, device, receive, key } = setUp(ES);
    receive(device.seal(device.birth()));
    const signed = sign1(encodeMessage(device.data(1)), device.signer);
    signed[signed.length - 1] ^= 1;
    const keys = { key: key("d2g enc"), iv: key("d2g iv") };
    expect(receive(encrypt0(signed, device.kid, keys, nodeAead))).toMatchObject({ reason: "signature" });
    expect(receive(device.seal(device.data(1))).status).toBe("accepted");
    bench.settle();
    expect(bench.stored).toHaveLength(2);
  });

  test("what is authentic and invalid is settled in every mode", () => {
    for (const mode of MODES) {
      const { bench, device, receive } = setUp(mode);
      receive(device.seal(device.birth()));
      const data = device.data(1);
      const bad = { ...data, channels: data.channels.map((channel) => ({ ...channel, id: 63 })) };
      expect(receive(device.seal(bad))).toMatchObject({ reason: "payload" });
      bench.settle();
      const refused = [{ seq: 1, reason: REASONS.indexOf("payload") }];
      expect(device.heard.at(-1)).toMatchObject({ type: "ack", next: 2, refused });
    }
  });

  test("the same message in another mode is a duplicate: what is compared is the payload", () => {
    const { bench, device, receive } = setUp(M);
    for (const message of [device.birth(), device.data(1)]) receive(device.seal(message));
    bench.settle();
    expect(receive(sign1(encodeMessage(device.data(1)), device.signer)).status).toBe("duplicate");
  });
});

describe("manifests", () => {
  const send = (mode: (typeof MODES)[number], settings = {}) => {
    const all = setUp(mode, settings);
    const { bench, device, receive } = all;
    const messages = [device.birth(), device.data(1), device.data(2), device.data(3)];
    const settle = () => bench.settle();
    return {
      ...all,
      messages,
      send: (message: Parameters<typeof device.seal>[0]) => receive(device.seal(message)),
      settle,
    };
  };

  test.each([
    [M, true],
    [M, false],
    [E, true],
    [E, false],
  ])(
    "raise what was stored before them to level 3, in an entry of their own ($name, commit between: %s)",
    (mode, between) => {
      for (const from of [2, 1]) {
        const { device, messages, send: give, settle, rows, store } = send(mode, { countersign: from === 2 });
        for (const message of messages) give(message);
        if (between) settle();
        expect(give(manifestOf(4, messages)).status).toBe("accepted");
        settle();
        expect(rows().map(({ space, seq, evidence }) => [space, seq, evidence])).toEqual([
          [0, 0, from],
          [0, 1, from],
          [0, 2, from],
          [0, 3, from],
          [0, 4, 3],
          [2, 4, 3],
        ]);
        expect(decodeLevelChange(rows()[5].message)).toEqual({
          ofBoot: 1,
          rises: [{ first: 0, count: 4, from, to: 3 }],
        });
        const level = levelsOf(store, device.kid, 1);
        expect(rows().map(level)).toEqual([3, 3, 3, 3, 3, 3]);
        expect(readBoot(store, device.kid, 1)).toMatchObject({ evidence: 3, messages: 5 });
        // Nothing is left unacknowledged by the entry, and the chain goes on behind it.
        give(device.data(5));
        settle();
        expect(store.boots(device.kid)[0].next).toBe(6);
        expect(readBoot(store, device.kid, 1, 3)!.messages).toBe(5);
      }
    },
  );

  test("what comes after its manifest is level 3 at once, before and after a commit and a restart", () => {
    for (const how of ["together", "committed", "restarted"]) {
      const { bench, device, messages, send: give, settle, rows } = send(M);
      const [birth, first, second, third] = messages;
      give(birth);
      give(third);
      give(manifestOf(4, messages));
      if (how !== "together") settle();
      let receive = give;
      if (how === "restarted") {
        const again = createTestGateway(bench.gateway.store);
        device.join(again.gateway);
        receive = (message) => {
          const verdict = again.gateway.receive(device.seal(message), device.origin);
          again.settle();
          return verdict;
        };
      }
      for (const late of [second, first]) expect(receive(late).status).toBe("accepted");
      settle();
      const levels = rows().map(({ seq, evidence }) => [seq, evidence]);
      expect(levels.filter(([seq]) => seq === 1 || seq === 2)).toEqual([
        [2, 3],
        [1, 3],
      ]);
    }
  });

  test("a manifest after a reboot raises what is of the boot before", () => {
    const { bench, device, messages, send: give, settle, rows, store } = send(M);
    for (const message of messages) give(message);
    const after = createSpeaker(M, "speaker", 2);
    bench.gateway.receive(after.seal(after.birth()), device.origin);
    bench.gateway.receive(after.seal(manifestOf(1, messages, 2)), device.origin);
    settle();
    expect(rows().at(-1)).toMatchObject({ space: 2, boot: 2, seq: 1 });
    expect(readBoot(store, device.kid, 1)!.evidence).toBe(3);
    expect(readBoot(store, device.kid, 2)!.evidence).toBe(2);
  });

  test("a manifest that lists another payload for what is stored, or came late, is a contradiction: quarantine", () => {
    const forged = (device: ReturnType<typeof createSpeaker>, messages: Parameters<typeof manifestOf>[1]) => [
      ...messages.slice(0, 3),
      device.data(3, [9, 9, 9]),
    ];
    for (const mode of MODES) {
      const { bench, device, messages, send: give, settle, rows } = send(mode);
      for (const message of messages) give(message);
      expect(give(manifestOf(4, forged(device, messages)))).toMatchObject({
        reason: "replay",
        detail: expect.stringContaining("seq 3 is known with another payload than the manifest"),
      });
      expect(bench.alarms).toMatchObject([{ kind: "clone or rollback" }]);
      settle();
      expect(rows()).toHaveLength(4);
      const late = send(mode);
      for (const message of messages.slice(0, 3)) late.send(message);
      late.send(manifestOf(4, forged(device, messages)));
      late.settle();
      expect(late.send(messages[3])).toMatchObject({ reason: "replay", detail: expect.stringContaining("listed") });
      expect(late.bench.alarms).toHaveLength(1);
    }
  });

  test("a manifest in mode M raises nothing and accuses nobody: who has the shared key could have made it", () => {
    const { device, messages, send: give, receive, settle, rows, key } = send(M);
    for (const message of messages) give(message);
    const other = manifestOf(4, [...messages.slice(0, 3), device.data(3, [9])]);
    expect(receive(mac0(encodeMessage(other), device.kid, key("d2g mac"), nodeCrypto)).status).toBe("accepted");
    settle();
    expect(rows().map(({ evidence }) => evidence)).toEqual([2, 2, 2, 2, 2]);
  });

  test("a manifest of what is to come is refused as payload", () => {
    const { device, messages, send: give } = send(M);
    for (const message of messages) give(message);
    expect(give(manifestOf(5, [device.data(5)]))).toMatchObject({ reason: "payload" });
    expect(give(manifestOf(6, [{ ...device.data(1), boot: 2 }], 1))).toMatchObject({ reason: "payload" });
  });
});

describe("rotation and revocation", () => {
  const cardOf = (device: ReturnType<typeof createTestDevice>, issuedAt: number) =>
    encodeCard(
      {
        issuer: "TEST-ONLY",
        role: "device",
        kid: device.kid,
        publicKey: device.signer.publicKey,
        issuedAt,
        expires: 4e9,
      },
      site,
    );

  const setUpKeys = (names: Record<string, number>) => {
    const bench = createTestGateway();
    const devices = Object.entries(names).map(([name, issued]) => {
      const device = createTestDevice(name);
      bench.gateway.devices.enroll(cardOf(device, issued), site.publicKey, true);
      return device;
    });
    const { origin } = createSpeaker(S);
    type Device = (typeof devices)[number];
    const give = (device: Device, message: Parameters<Device["seal"]>[0], at = bench) =>
      at.gateway.receive(device.seal(message), origin);
    return { bench, devices: devices as [Device, Device], give };
  };
  const supersede = ({ gateway }: ReturnType<typeof createTestGateway>, ...kids: Uint8Array[]) =>
    gateway.devices.applyRevocations(
      { number: kids.length, revoked: kids.map((kid) => ({ kid, reason: REASON_SUPERSEDED, time: 1 })) },
      Uint8Array.of(kids.length),
    );

  test("a birth under a newer key ends the one that the site has superseded: its backfill is taken, what is above is revoked", () => {
    const { bench, give, devices } = setUpKeys({ old: 100, young: 200 });
    const [old, young] = devices;
    const { store } = bench.gateway;
    give(old, old.birth());
    supersede(bench, old.kid);
    // Until the new key is heard the old one is as good as ever.
    for (const message of [old.data(1), old.data(3)]) expect(give(old, message).status).toBe("accepted");
    expect(give(young, young.birth()).status).toBe("accepted");
    bench.settle();
    expect(bench.alarms).toMatchObject([{ kind: "rotation", kid: old.kid }]);
    expect(store.rotations()).toMatchObject([{ boot: 1, seq: 3 }]);
    const again = createTestGateway(store);
    again.gateway.devices.enroll(cardOf(old, 100), site.publicKey, true);
    again.gateway.devices.enroll(cardOf(young, 200), site.publicKey, true);
    for (const gateway of [bench, again]) {
      expect(give(old, old.data(4), gateway)).toMatchObject({ reason: "revoked" });
      expect(give(old, { ...old.data(1), boot: 2 }, gateway)).toMatchObject({ reason: "revoked" });
      expect(give(old, { ...presence, connection: 7 }, gateway)).toMatchObject({ reason: "revoked" });
      expect(give(old, old.data(1), gateway).status).toBe("duplicate");
    }
    expect(give(old, old.data(2)).status).toBe("accepted");
    expect(give(young, young.data(1)).status).toBe("accepted");
  });

  test("the list may come behind the new key's birth: the old one is good for what it had reached when it speaks again", () => {
    const { bench, give, devices } = setUpKeys({ old: 100, young: 200 });
    const [old, young] = devices;
    for (const message of [old.birth(), old.data(1)]) give(old, message);
    give(young, young.birth());
    expect(give(old, old.data(2)).status).toBe("accepted");
    supersede(bench, old.kid);
    expect(give(old, old.data(3))).toMatchObject({ reason: "revoked" });
    bench.settle();
    expect(bench.gateway.store.rotations()).toMatchObject([{ boot: 1, seq: 2 }]);
  });

  test("who tells another board's ueid, without the site's word, ends nobody, and a person hears of it", () => {
    const { bench, give, devices } = setUpKeys({ victim: 100, thief: 200 });
    const [victim, thief] = devices;
    for (const message of [victim.birth(), victim.data(1)]) give(victim, message);
    expect(give(thief, thief.birth()).status).toBe("accepted");
    for (const seq of [2, 3]) expect(give(victim, victim.data(seq)).status).toBe("accepted");
    expect(bench.alarms).toMatchObject([{ kind: "two keys for one board", kid: thief.kid }]);
    bench.settle();
    expect(bench.gateway.store.rotations()).toEqual([]);
  });

  test("a superseded key that was never heard before its successor is revoked; one of the same age ends nothing", () => {
    const { bench, give, devices } = setUpKeys({ old: 300, young: 300 });
    const [old, young] = devices;
    const older = createTestDevice("older");
    bench.gateway.devices.enroll(cardOf(older, 100), site.publicKey, true);
    supersede(bench, older.kid, old.kid);
    expect(give(young, young.birth()).status).toBe("accepted");
    expect(give(old, old.birth()).status).toBe("accepted");
    expect(give(older, older.birth())).toMatchObject({ reason: "revoked" });
    expect(bench.gateway.store.rotations()).toEqual([]);
  });
});
