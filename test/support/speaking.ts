/** A device that seals in any mode, and hears what its gateway says to it: opened as a board opens it, or refused. */
import { createSealer } from "../../firmware/sealer.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import {
  type CommandMessage,
  decodeMessage,
  EVENT_COMMAND_RESULT,
  type EventMessage,
  type Message,
} from "../../protocol/messages.ts";
import { sha256 } from "../../simulator/keys.ts";
import { createTestDevice, gatewayKey } from "./gateway.ts";

export const MODES = [
  { name: "S", mode: "sign", encrypt: false },
  { name: "M", mode: "mac", encrypt: false },
  { name: "E around S", mode: "sign", encrypt: true },
  { name: "bare E", mode: "mac", encrypt: true },
] as const;
export type Mode = (typeof MODES)[number];

/** `seed` fills bn. */
export function createSpeaker({ mode, encrypt }: Mode, name = "speaker", boot = 1, seed = 7) {
  const device = createTestDevice(name, boot);
  const { kid, signer } = device;
  const psk = mode === "mac" || encrypt ? sha256("TEST-ONLY psk", name) : null;
  const bn = new Uint8Array(16).fill(seed);
  const aead = nodeAead;
  const sealer = createSealer({
    ...{ mode, encrypt, psk, aead, signer, kid, boot, bn },
    ...{ gateways: [gatewayKey], crypto: nodeCrypto },
  });
  /** What was heard and held, in order; the bytes that were refused beside it. */
  const heard: Message[] = [];
  const raw: Uint8Array[] = [];
  const refused: Uint8Array[] = [];
  const origin: Origin = {
    name: `test:${name}`,
    counters: createCounters(),
    reply(bytes) {
      raw.push(bytes);
      const opened = sealer.open(bytes);
      if (opened === null) refused.push(bytes);
      else heard.push(decodeMessage(opened.payload));
    },
  };
  return {
    ...device,
    seal: (message: Message) => sealer.seal(message),
    birth: (seq = 0) => device.birth(seq, seed),
    psk,
    origin,
    heard,
    raw,
    refused,
    /** As event 5 names who sent a command. */
    names: mode === "mac" ? kid : gatewayKey.kid,
    result(
      seq: number,
      n: number,
      status: number,
      tick = 1000 * seq,
      who = mode === "mac" ? kid : gatewayKey.kid,
    ): EventMessage {
      return { type: "event", boot, seq, tick, code: EVENT_COMMAND_RESULT, small: [who, n, status] };
    },
    get commands(): CommandMessage[] {
      return heard.filter((one): one is CommandMessage => one.type === "command");
    },
    join(gateway: Gateway) {
      device.enrollAt(gateway);
      if (psk !== null) gateway.devices.givePsk(kid, psk, encrypt);
    },
  };
}
