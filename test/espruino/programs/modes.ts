/** Keys of a boot, modes M and E, and manifests, to the byte. Device dialect. */
import { birthKey, bootKey, type KeyLabel, newBootNonce } from "../../../protocol/boot-keys.ts";
import type { Aead } from "../../../protocol/cose.ts";
import { decodeEncrypt0, encrypt0, openEncrypt0 } from "../../../protocol/encrypt0.ts";
import { hkdfSha256, hmacSha256 } from "../../../protocol/hmac.ts";
import { decodeMac0, mac0, macLabelOf, verifyMac0 } from "../../../protocol/mac0.ts";
import { hashList, payloadHash } from "../../../protocol/manifest.ts";
import { peekPayload } from "../../../protocol/peek.ts";
import { hex, xorshift } from "./text.ts";

const labels: KeyLabel[] = ["d2g mac", "g2d mac", "d2g enc", "d2g iv", "g2d enc", "g2d iv"];
const kid = new Uint8Array([0x15, 0x63, 0x54, 0x56, 0x44, 0xdd, 0x02, 0xb0]);
/** [event, boot 17, seq 3604, tick, code 8, [...]] */
const payload = new Uint8Array([0x86, 4, 17, 0x19, 0x0e, 0x14, 0x18, 99, 8, 0x84, 17, 0x19, 0x0e, 6, 2, 1]);

/** No cipher at all, but one whose output depends on every input: what is held here is what encrypt0 gives it. */
export function standIn(sha256: (bytes: Uint8Array) => Uint8Array): Aead {
  const tagOf = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, text: Uint8Array): Uint8Array => {
    const all = new Uint8Array(16 + 13 + aad.length + text.length);
    all.set(key, 0);
    all.set(nonce, 16);
    all.set(aad, 29);
    all.set(text, 29 + aad.length);
    return sha256(all).subarray(0, 8);
  };
  return {
    seal: (key, nonce, aad, plaintext) => {
      const sealed = new Uint8Array(plaintext.length + 8);
      sealed.set(plaintext, 0);
      sealed.set(tagOf(key, nonce, aad, plaintext), plaintext.length);
      return sealed;
    },
    open: (key, nonce, aad, sealed) => {
      const text = sealed.subarray(0, sealed.length - 8);
      return hex(tagOf(key, nonce, aad, text)) === hex(sealed.subarray(text.length)) ? text : null;
    },
  };
}

function told(print: (line: string) => void, action: () => string): void {
  try {
    print(action());
  } catch (error) {
    print((error as Error).message);
  }
}

export function program(print: (line: string) => void, sha256: (bytes: Uint8Array) => Uint8Array): void {
  const crypto = { sha256: sha256 };
  const random = xorshift(5);
  const some = (n: number): Uint8Array => {
    const bytes = new Uint8Array(n);
    for (let i = 0; i < n; i++) bytes[i] = random() & 255;
    return bytes;
  };
  for (let n = 0; n < 140; n += 13) {
    print(hex(hmacSha256(some(n), some(140 - n), crypto)));
    print(hex(hkdfSha256(some(32), some(n), some(n), n + 1, crypto)));
  }
  const psk = some(32);
  for (let boot = 1; boot < 4294967296; boot *= 4321) {
    const secret = { psk: psk, kid: kid, boot: boot };
    const bn = newBootNonce(secret, some(4), null, crypto);
    print(`${hex(bn)} ${hex(birthKey(secret, crypto))}`);
    for (let i = 0; i < labels.length; i++) print(hex(bootKey(labels[i], secret, bn, crypto)));
  }
  const secret = { psk: psk, kid: kid, boot: 17 };
  const bn = newBootNonce(secret, some(4), null, crypto);
  told(print, () =>
    hex(newBootNonce(secret, new Uint8Array(0), newBootNonce(secret, new Uint8Array(0), null, crypto), crypto)),
  );
  const key = bootKey("d2g mac", secret, bn, crypto);
  const keys = { key: bootKey("d2g enc", secret, bn, crypto), iv: bootKey("d2g iv", secret, bn, crypto) };
  const aead = standIn(sha256);
  const message = mac0(payload, kid, key, crypto);
  const wrapped = encrypt0(payload, kid, keys, aead);
  print(`${hex(message)} ${hex(wrapped)} ${hex(hashList([payloadHash(payload, crypto), some(16)]))}`);
  const damaged = (whole: Uint8Array, outer: Uint8Array, at: number): void => {
    const bad = new Uint8Array(whole);
    const worse = new Uint8Array(outer);
    if (at >= 0 && at < bad.length) bad[at] ^= 1 << (at & 7);
    if (at >= 0) worse[at] ^= 1 << (at & 7);
    told(print, () => {
      const opened = decodeMac0(bad);
      const found = peekPayload(opened.payload);
      return `${macLabelOf(found.type)} ${found.boot} ${verifyMac0(opened, key, crypto)}`;
    });
    told(print, () => {
      const opened = openEncrypt0(decodeEncrypt0(worse), keys, aead);
      return opened === null ? "no" : `${hex(opened.payload)} ${opened.identity.boot} ${opened.identity.number}`;
    });
  };
  for (let at = -1; at < wrapped.length; at++) {
    damaged(message, wrapped, at);
  }
}
