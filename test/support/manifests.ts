/** Manifests as a board makes them, and messages sealed by keys that only its owner has. */
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { hashList, payloadHash } from "../../protocol/manifest.ts";
import { encodeMessage, type ManifestMessage, type Message } from "../../protocol/messages.ts";

type Listable = Extract<Message, { seq: number }>;

/** The manifest over these messages of one boot, which follow one another. */
export function manifestOf(seq: number, of: readonly Listable[], boot = of[0]!.boot): ManifestMessage {
  return {
    type: "manifest",
    boot,
    seq,
    tick: 1000 * seq,
    ofBoot: of[0]!.boot,
    first: of[0]!.seq,
    hashes: hashList(of.map((message) => payloadHash(encodeMessage(message), nodeCrypto))),
  };
}
