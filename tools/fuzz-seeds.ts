/** What the fuzzer begins with: real messages of a simulated board, made once, and keys that everybody knows. */
import { createVirtualClock } from "../boards/virtual-clock.ts";
import { decodeEnvelope, sign1 } from "../protocol/cose.ts";
import { type KeyedSigner, nodeCrypto } from "../protocol/crypto.node.ts";
import {
  type BirthMessage,
  type DataMessage,
  decodeMessage,
  encodeMessage,
  type Message,
} from "../protocol/messages.ts";
import { type Codec, decodeSamples, encodeSamples } from "../protocol/samples.ts";
import { sha256, testOnlySigner } from "../simulator/keys.ts";
import { createVirtualNode } from "../simulator/node.ts";
import { fingerOff } from "../simulator/story.ts";

export interface Seeds {
  /** The board's TEST-ONLY key, enrolled. */
  readonly device: KeyedSigner;
  /** A key that nobody enrolled. */
  readonly stranger: KeyedSigner;
  /** The board's pre-shared key, and one that is nobody's. */
  readonly psk: Uint8Array;
  readonly strangerPsk: Uint8Array;
  /** bn of the board's boot, as its birth tells. */
  readonly bn: Uint8Array;
  /** Sealed messages, the birth first. */
  readonly messages: readonly Uint8Array[];
  /** Payloads that the device's key signs when they are mutated: the messages', and kinds that a board of today does not send. */
  readonly payloads: readonly Uint8Array[];
}

const SECONDS = 8;

/** The same data with its blocks in another codec. */
function recoded(data: DataMessage, codec: Codec): DataMessage {
  const channels = data.channels.map((one) => {
    if (one.kind === "num") return one;
    const samples = decodeSamples(one.codec, one.bytes, one.n);
    return { ...one, codec, bytes: encodeSamples(codec, samples, 0, one.n) };
  });
  return { ...data, channels };
}

/** Eight seconds of a board whose patient takes the finger off: birth, data, events; presences as it would send them. */
export function makeSeeds(): Seeds {
  const clock = createVirtualClock();
  const messages: Uint8Array[] = [];
  const node = createVirtualNode({
    clock,
    seed: 8,
    index: 0,
    noise: true,
    gateways: [],
    story: fingerOff({ begin: 4, hold: 30 }),
    boot: () => 1,
    link: () => ({
      presence: true,
      open: (events) => events.onUp(1),
      send(_letter, message) {
        // Nobody acknowledges: everything comes again, the stored bytes.
        if (!messages.some((known) => Buffer.compare(known, message) === 0)) messages.push(message.slice());
        return true;
      },
      close: (done) => done(),
    }),
  });
  node.runtime.start();
  clock.runUntil(SECONDS * 1e6);
  const opened = messages.map((message) => decodeMessage(decodeEnvelope(message).payload));
  const birth = opened.findIndex((message) => message.type === "birth");
  const data = opened.filter((message): message is DataMessage => message.type === "data").at(-1)!;
  const { kid } = node.signer;
  const hash = nodeCrypto.sha256(messages[0]!);
  const extra: Message[] = [
    recoded(data, 0),
    recoded(data, 1),
    { type: "event", boot: 1, seq: 900, tick: 9000, code: 8, small: [1, 2000, 2, 1] },
    { type: "event", boot: 1, seq: 901, tick: 9000, code: 7, small: ["é", null, -5, hash] },
    { type: "manifest", boot: 1, seq: 902, tick: 9000, ofBoot: 1, first: 0, hashes: hash },
    { type: "presence", boot: 1, connection: 2, state: 0 },
    { type: "command", kid, boot: 1, n: 5, expires: 3660000, op: 5, parameters: [[1, 24]] },
    { type: "ack", kid, boot: 1, n: 6, ofBoot: 1, next: 4, bitmap: Uint8Array.of(128), refused: [] },
    { type: "time", kid, boot: 1, n: 7, echoTick: 1000, gatewayMs: 1_800_000_000_000 },
  ];
  const sealed = [messages[birth]!, ...messages.filter((_, i) => i !== birth)];
  const payloads = [...sealed.map((message) => decodeEnvelope(message).payload.slice()), ...extra.map(encodeMessage)];
  const more = extra.slice(3).map((message) => sign1(encodeMessage(message), node.signer));
  return {
    device: node.signer,
    stranger: testOnlySigner("stranger"),
    psk: sha256("TEST-ONLY fuzz psk"),
    strangerPsk: sha256("TEST-ONLY fuzz psk of a stranger"),
    bn: (opened[birth] as BirthMessage).claims.bootseed,
    messages: [...sealed, ...more],
    payloads,
  };
}
