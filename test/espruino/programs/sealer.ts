/** Boot number and nonce, the sealer in its four forms both ways, and manifests, to the byte. Device dialect. */
import { startBoot } from "../../../firmware/boot.ts";
import { createManifests } from "../../../firmware/manifests.ts";
import { createSealer, type Sealer } from "../../../firmware/sealer.ts";
import { bootKey } from "../../../protocol/boot-keys.ts";
import { encode } from "../../../protocol/cbor.ts";
import { type Crypto, type Signer, sign1 } from "../../../protocol/cose.ts";
import { encrypt0 } from "../../../protocol/encrypt0.ts";
import { mac0 } from "../../../protocol/mac0.ts";
import { encodeMessage, type Message } from "../../../protocol/messages.ts";
import { standIn } from "./modes.ts";
import { createStorage } from "./storage.ts";
import { hex, xorshift } from "./text.ts";

const kid = new Uint8Array([0x15, 0x63, 0x54, 0x56, 0x44, 0xdd, 0x02, 0xb0]);
const gatewayKid = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

/** No signature at all, but 64 bytes that depend on every bit of what is signed. */
function standInSigner(own: Uint8Array, sha256: Crypto["sha256"]): Signer {
  return {
    kid: own,
    alg: -8,
    sign: (bytes) => {
      const signature = new Uint8Array(64);
      signature.set(sha256(bytes), 0);
      signature.set(own, 32);
      return signature;
    },
  };
}

export function program(print: (line: string) => void, sha256: (bytes: Uint8Array) => Uint8Array): void {
  const random = xorshift(9);
  const psk = new Uint8Array(32);
  for (let i = 0; i < 32; i++) psk[i] = random() & 255;
  const gatewaySigner = standInSigner(gatewayKid, sha256);
  const crypto: Crypto = {
    sha256: sha256,
    verify: (_key, message, signature) => hex(gatewaySigner.sign(message)) === hex(signature),
  };
  const aead = standIn(sha256);

  const storage = createStorage();
  const boots = { storage: storage, kid: kid, psk: psk, entropy: new Uint8Array(4), crypto: crypto };
  const started = (open: boolean): void => {
    try {
      const one = startBoot(Object.assign({}, boots, { psk: open ? null : psk }));
      print(`boot ${one.boot} ${hex(one.bn)} ${one.prev === null ? "-" : `${one.prev.boot}:${one.prev.seq}`}`);
      one.end(40 + one.boot);
    } catch (error) {
      print((error as Error).message);
    }
  };
  for (let i = 0; i < 3; i++) started(i === 1);
  const kept = storage.read("boot") as Uint8Array;
  started(false);
  storage.write("boot", kept);
  started(false);
  storage.write("end", encode([0, 0]));
  storage.write("boot", encode([2, kept.subarray(kept.length - 16)]));
  started(false);
  for (let n = 0; n < kept.length; n++) {
    storage.write("boot", kept.subarray(0, n));
    started(false);
  }

  const boot = 17;
  const bn = new Uint8Array(16).fill(7);
  const secret = { psk: psk, kid: kid, boot: boot };
  const messages: Message[] = [
    { type: "presence", boot: boot, connection: 1, state: 1 },
    { type: "event", boot: boot, seq: 3, tick: 5, code: 7, small: [1, 2, "text"] },
    { type: "manifest", boot: boot, seq: 4, tick: 6, ofBoot: boot, first: 0, hashes: new Uint8Array(64) },
  ];
  const command = encodeMessage({
    type: "command",
    kid: kid,
    boot: boot,
    n: 5,
    expires: 1000,
    op: 7,
    parameters: [],
  });
  const keys = { key: bootKey("g2d enc", secret, bn, crypto), iv: bootKey("g2d iv", secret, bn, crypto) };
  const signed = sign1(command, gatewaySigner);
  const answers = [
    signed,
    mac0(command, kid, bootKey("g2d mac", secret, bn, crypto), crypto),
    encrypt0(signed, kid, keys, aead),
    encrypt0(command, kid, keys, aead),
  ];
  const told = (sealer: Sealer, bytes: Uint8Array): string => {
    const opened = sealer.open(bytes);
    return opened === null ? "-" : hex(opened.gateway);
  };
  for (let form = 0; form < 4; form++) {
    const sealer = createSealer({
      mode: (form & 1) === 1 ? "mac" : "sign",
      encrypt: form > 1,
      psk: psk,
      aead: aead,
      signer: standInSigner(kid, sha256),
      kid: kid,
      boot: boot,
      bn: bn,
      gateways: [{ kid: gatewayKid, publicKey: psk }],
      crypto: crypto,
    });
    for (let i = 0; i < messages.length; i++) print(hex(sealer.seal(messages[i])));
    for (let i = 0; i < answers.length; i++) {
      print(`${form} takes ${i}: ${told(sealer, answers[i])}`);
      const bad = new Uint8Array(answers[i]);
      for (let at = 0; at < bad.length; at += 7) {
        bad[at] ^= 4;
        if (told(sealer, bad) !== "-") print(`${form} takes ${i} with byte ${at} changed`);
        bad[at] ^= 4;
      }
    }
  }

  let due: (() => void) | null = null;
  const timer = (_ms: number, callback: () => void): (() => void) => {
    due = callback;
    return () => {
      due = null;
    };
  };
  let seq = 0;
  const manifests = createManifests({ timer: timer }, crypto, (first, hashes) => {
    print(`manifest ${seq++} from ${first}: ${hex(hashes)}`);
  });
  for (let i = 0; i < 130; i++) {
    manifests.add(seq++, new Uint8Array([i, 1, 2]), false);
    manifests.check();
  }
  const callback = due as (() => void) | null;
  if (callback !== null) callback();
  manifests.flush();
  print(`${seq} ${due === null}`);
}
