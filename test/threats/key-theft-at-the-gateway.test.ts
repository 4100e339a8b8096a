/**
 * PROTOCOL.md section 10, "key theft at the gateway": who has a pre-shared key can make messages in modes M and E, and none of
 * them moves what is read at evidence level 3. What he can do is be loud: a contradiction ends in quarantine.
 */
import { expect, test } from "vitest";
import { createSealer } from "../../firmware/sealer.ts";
import { readBoot } from "../../gateway/read.ts";
import { bootKey, type KeyLabel } from "../../protocol/boot-keys.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { encrypt0 } from "../../protocol/encrypt0.ts";
import { mac0 } from "../../protocol/mac0.ts";
import { encodeMessage } from "../../protocol/messages.ts";
import { createTestGateway } from "../support/gateway.ts";
import { manifestOf } from "../support/manifests.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const [, M, , E] = MODES;

test.each([M, E])(
  "forged messages in mode $name are stored below level 3 and leave what the device signed as it was",
  (mode) => {
    const bench = createTestGateway();
    const device = createSpeaker(mode, "robbed");
    device.join(bench.gateway);
    const receive = (bytes: Uint8Array) => {
      const { status } = bench.gateway.receive(bytes, device.origin);
      bench.settle();
      return status;
    };
    const own = [device.birth(), device.data(1, [4, 5, 6]), device.data(2, [7, 8, 9])];
    for (const message of [...own, manifestOf(3, own)]) expect(receive(device.seal(message))).toBe("accepted");
    const signed = () => {
      const { channels, events, messages } = readBoot(bench.gateway.store, device.kid, 1, 3)!;
      return { channels, events, messages };
    };
    const before = signed();
    expect(before.channels.get(0)!.blocks.map(({ samples }) => [...samples])).toEqual([
      [4, 5, 6],
      [7, 8, 9],
    ]);

    // The thief has the PSK, not the device's Ed25519 key: he signs with one of his own.
    const thief = createSpeaker(mode, "thief");
    const { psk, kid } = device;
    const bn = new Uint8Array(16).fill(7);
    const forge = createSealer({
      ...{
        mode: "mac" as const,
        encrypt: mode.encrypt,
        psk,
        aead: nodeAead,
        kid,
        boot: 1,
        bn,
        signer: { ...thief.signer, kid },
      },
      ...{ gateways: [], crypto: nodeCrypto },
    });
    const fake = [device.data(5, [666]), device.data(6, [667])];
    for (const message of fake) expect(receive(forge.seal(message))).toBe("accepted");
    // A manifest under his own signature, and one under the shared key: neither lifts anything.
    expect(receive(forge.seal(manifestOf(7, fake)))).toBe("refused");
    const key = (label: KeyLabel) => bootKey(label, { psk: psk!, kid, boot: 1 }, bn, nodeCrypto);
    const shared = encodeMessage(manifestOf(7, fake));
    const bare = mode.encrypt
      ? encrypt0(shared, kid, { key: key("d2g enc"), iv: key("d2g iv") }, nodeAead)
      : mac0(shared, kid, key("d2g mac"), nodeCrypto);
    expect(receive(bare)).toBe("accepted");
    expect(signed()).toEqual(before);
    expect(readBoot(bench.gateway.store, kid, 1)!.evidence).toBe(2);

    // What contradicts the device's own word is not stored, and is told at once.
    expect(receive(forge.seal(device.data(2, [1, 1, 1])))).toBe("refused");
    expect(bench.alarms).toMatchObject([{ kind: "clone or rollback", kid }]);
    expect(signed()).toEqual(before);
  },
);
