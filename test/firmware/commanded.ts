/** A virtual board whose link the test holds in its hands, and a gateway that says to it whatever the test wants. */
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { LinkEvents } from "../../firmware/link.ts";
import { createDownlinkSealer, type DownlinkBody, type DownlinkMessage } from "../../gateway/downlink.ts";
import { bootKey } from "../../protocol/boot-keys.ts";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { type KeyedSigner, nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0, openEncrypt0 } from "../../protocol/encrypt0.ts";
import { toHex } from "../../protocol/keys.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import {
  type BirthMessage,
  type CommandMessage,
  type DataMessage,
  decodeMessage,
  EVENT_COMMAND_RESULT,
  type EventMessage,
  type Message,
  type Wave,
} from "../../protocol/messages.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createVirtualNode, type NodeOptions, type SealMode } from "../../simulator/node.ts";

export const gatewaySigner = testOnlySigner("gateway of commands");

export const MODES: Record<string, SealMode> = {
  S: { mode: "sign", encrypt: false },
  M: { mode: "mac", encrypt: false },
  "E around S": { mode: "sign", encrypt: true },
  "bare E": { mode: "mac", encrypt: true },
};

/** Whom a message is for, and its number, where it is not as it should be. */
export type Address = Partial<Pick<DownlinkMessage, "kid" | "boot" | "n">>;

export function createCommanded(options: Partial<NodeOptions> = {}) {
  const clock = createVirtualClock();
  const seal = options.seal ?? MODES.S!;
  let events!: LinkEvents;
  const sent: Uint8Array[] = [];
  const node = createVirtualNode({
    clock,
    seed: 3,
    index: 0,
    noise: true,
    gateways: [gatewaySigner],
    boot: () => 7,
    link: () => ({
      presence: true,
      open(given) {
        events = given;
      },
      send: (_letter, message) => sent.push(message) > 0,
      close: (done) => done(),
    }),
    ...options,
  });
  const { psk, signer } = node;

  /** Decoded, not verified: what a device sends is another test's. */
  const open = (message: Uint8Array): Message => {
    if (message[0] === 0xd2) return decodeMessage(decodeEnvelope(message).payload);
    if (message[0] === 0xd1) return decodeMessage(decodeMac0(message).payload);
    const secret = { psk: psk!, kid: signer.kid, boot: node.boot };
    const key = bootKey("d2g enc", secret, bootNonce(), nodeCrypto);
    const iv = bootKey("d2g iv", secret, bootNonce(), nodeCrypto);
    return decodeMessage(openEncrypt0(decodeEncrypt0(message), { key, iv }, nodeAead)!.payload);
  };
  let opened = 0;
  const bySeq = new Map<number, Message & { seq: number }>();
  /** Every message of the sequence, once, in its order. */
  const messages = () => {
    for (; opened < sent.length; opened++) {
      const message = open(sent[opened]!);
      if ("seq" in message) bySeq.set(message.seq, message);
    }
    return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  };
  const births = () => messages().filter((one): one is BirthMessage => one.type === "birth");
  const data = () => messages().filter((one): one is DataMessage => one.type === "data");
  const eventsOf = (code: number) =>
    messages().filter((one): one is EventMessage => one.type === "event" && one.code === code);
  const bootNonce = () => {
    for (const message of sent) {
      if (message[0] === 0xd0) continue;
      const one = open(message);
      if (one.type === "birth") return one.claims.bootseed;
    }
    throw new Error("no birth was sent");
  };

  let n = 0;
  const by = (signing: KeyedSigner) => createDownlinkSealer({ signer: signing, crypto: nodeCrypto, aead: nodeAead });
  /** Seals as the device speaks, or as `how` says. */
  const sealed = (body: DownlinkBody, address: Address = {}, signing = gatewaySigner, how: SealMode = seal) => {
    const first = births()[0]!;
    const heard = {
      kid: signer.kid,
      boot: node.boot,
      births: new Map([[first.cfg, first]]),
      seal: how.mode,
    };
    const message = { ...body, kid: signer.kid, boot: node.boot, n: address.n ?? ++n, ...address } as DownlinkMessage;
    return by(signing).seal({ psk, encrypts: how.encrypt }, heard, message);
  };
  const receive = (message: Uint8Array) => events.onMessage(message);
  const commandBody = (
    op: number,
    parameters: CommandMessage["parameters"] = [],
    expires = Number.MAX_SAFE_INTEGER,
  ): DownlinkBody => ({ type: "command", op, parameters, expires });

  return {
    node,
    clock,
    sent,
    messages,
    births,
    data,
    eventsOf,
    sealed,
    receive,
    commandBody,
    /** What event 5 must call the gateway. */
    name: toHex(seal.mode === "mac" ? signer.kid : gatewaySigner.kid),
    /** Starts the board, lets it find its link, and runs it for so many seconds. */
    start(seconds = 1) {
      node.runtime.start();
      events.onUp(1);
      clock.runUntil(seconds * 1e6);
    },
    run(seconds: number) {
      clock.runUntil(clock.now + seconds * 1e6);
    },
    /** Says a command; returns its n. */
    command(op: number, parameters: CommandMessage["parameters"] = [], expires?: number) {
      receive(sealed(commandBody(op, parameters, expires)));
      return n;
    },
    say(body: DownlinkBody) {
      receive(sealed(body));
      return n;
    },
    /** Every event 5 there was. */
    results: () =>
      eventsOf(EVENT_COMMAND_RESULT).map(({ small, tick }) => {
        const [kid, number, status] = small as [Uint8Array, number, number];
        return { gateway: toHex(kid), n: number, status, tick };
      }),
    /** The status that answered it; null: nothing did so far. */
    statusOf(number: number) {
      const found = this.results().filter((one) => one.n === number);
      if (found.length > 1) throw new Error(`${found.length} answers to command ${number}`);
      return found[0]?.status ?? null;
    },
  };
}

/** Channels of the board, in the order of its birth. */
export const RED = 0;
export const INFRARED = 1;
export const ECG = 2;
export const TEMPERATURE = 3;

/** The channel of a birth with this code. */
export const channelOf = (birth: BirthMessage, mdc: number) => birth.channels.find((one) => one.mdc === mdc)!.id;
/** The blocks of a channel that a board has sent, each with its message's seq and cfg. */
export const waves = (board: ReturnType<typeof createCommanded>, id: number) =>
  board
    .data()
    .flatMap(({ seq, cfg, channels }) =>
      channels.flatMap((one) => (one.kind === "wave" && one.id === id ? [{ ...(one as Wave), seq, cfg }] : [])),
    );
