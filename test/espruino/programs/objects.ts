/** Revocation lists, firmware announcements, and how a board takes its keys, to the byte. Device dialect. */
import type { Storage } from "../../../boards/board.ts";
import { createProvisionConsole, type Provision, provisionRequest, readSaying } from "../../../firmware/provision.ts";
import type { Crypto, Signer } from "../../../protocol/cose.ts";
import { decodeRevocations, encodeRevocations } from "../../../protocol/crl.ts";
import { decodeFirmware, encodeFirmware } from "../../../protocol/firmware-object.ts";
import { kidOf } from "../../../protocol/keys.ts";
import { hex } from "./text.ts";

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

export function program(print: (line: string) => void, sha256: (bytes: Uint8Array) => Uint8Array): void {
  // No signature at all, but 64 bytes that depend on every byte: what is held here is what is around it.
  const sign = (message: Uint8Array): Uint8Array => {
    const both = new Uint8Array(64);
    both.set(sha256(message), 0);
    both.set(sha256(both), 32);
    return both;
  };
  const crypto: Crypto = {
    sha256: sha256,
    verify: (_key, message, signature) => hex(sign(message)) === hex(signature),
  };
  const publicKey = filled(32, 5);
  const signer: Signer = { kid: kidOf(publicKey, crypto), alg: -8, sign: sign };
  const told = (action: () => string): void => {
    try {
      print(action());
    } catch (error) {
      print((error as Error).message);
    }
  };

  const revoked = [
    { kid: filled(8, 9), reason: 1, time: 1796169600 },
    { kid: filled(8, 3), reason: 4, time: 0 },
  ];
  const list = encodeRevocations({ issuer: "ward-7", issuedAt: 1796169600, number: 2, revoked: revoked }, signer);
  const firmware = encodeFirmware({ version: 7, size: 183204, digest: filled(32, 1), board: "esp32" }, signer);
  print(hex(list));
  print(hex(firmware));
  const showList = (bytes: Uint8Array): string => {
    const opened = decodeRevocations(bytes, publicKey, crypto);
    let text = `${opened.issuer} ${opened.issuedAt} ${opened.number}`;
    for (let i = 0; i < opened.revoked.length; i++)
      text += ` ${hex(opened.revoked[i].kid)} ${opened.revoked[i].reason} ${opened.revoked[i].time}`;
    return text;
  };
  const showFirmware = (bytes: Uint8Array): string => {
    const opened = decodeFirmware(bytes, publicKey, crypto);
    return `${opened.version} ${opened.size} ${hex(opened.digest)} ${opened.board}`;
  };
  told(() => showList(list));
  told(() => showFirmware(firmware));
  told(() => showList(firmware));
  told(() => showFirmware(list));
  const spoiled = (at: number): void => {
    const bad = new Uint8Array(list);
    bad[at] ^= 16;
    told(() => showList(bad));
  };
  for (let i = 0; i < list.length; i += 5) spoiled(i);

  const files: { [name: string]: Uint8Array } = {};
  const storage: Storage = {
    read: (name) => files[name],
    write: (name, bytes) => {
      files[name] = new Uint8Array(bytes);
    },
  };
  const provision: Provision = {
    publicKey: publicKey,
    ueid: filled(17, 1),
    seed: filled(32, 2),
    psk: filled(32, 3),
    gateways: [filled(32, 4), filled(32, 6)],
    sitePublicKey: filled(32, 7),
    releasePublicKey: null,
  };
  const other: Provision = {
    publicKey: filled(32, 8),
    ueid: filled(17, 1),
    seed: null,
    psk: filled(32, 9),
    gateways: [],
    sitePublicKey: filled(32, 7),
    releasePublicKey: filled(32, 10),
  };
  let open = false;
  const board = createProvisionConsole({
    storage: storage,
    crypto: crypto,
    model: "espruino",
    open: () => open,
    onProvisioned: (given) => print(`given ${hex(given.publicKey)} ${given.gateways.length}`),
  });
  const give = (line: string): void => {
    const answer = board.take(line.substring(0, line.length - 1));
    const saying = answer === null ? null : readSaying(answer);
    print(`${answer} ${saying === null ? "-" : saying.kind}`);
    print(board.greeting());
    print(files.identity === undefined ? "none" : hex(files.identity));
  };
  print(board.greeting());
  const line = provisionRequest(provision, null);
  print(line);
  give("reset()\n");
  give(`${line.substring(0, 40)}A${line.substring(41)}`);
  give(provisionRequest(provision, signer.kid));
  give(line);
  give(provisionRequest(other, signer.kid));
  open = true;
  give(provisionRequest(other, null));
  give(provisionRequest(other, signer.kid));
}
