/**
 * How well what a board sent is proven to this browser (PROTOCOL.md section 3): by its device's signature, by a manifest that the
 * device signed, by a gateway's countersignature, or by nothing that can be checked here. Pure; remembers a bounded number of
 * messages by the hashes of their payloads.
 */
import { PAYLOAD_HASH_LENGTH, payloadHash } from "../../protocol/manifest.ts";
import type { ManifestMessage, Message } from "../../protocol/messages.ts";
import type { Mode, Proof } from "./proof.ts";
import { softCrypto } from "./verify.ts";

/** Messages, and hashes that manifests list of messages that are not here, remembered at most. A manifest lists 240. */
const REMEMBERED = 4096;
/** Contradictions kept: one is enough for a person to look. */
const CONTRADICTED = 16;

type Way = "signed" | "listed" | "countersigned" | "unchecked";

/** What a message is to what came before it. "other": another payload is known under its place. */
export type Standing = "new" | "known" | "other";

const WAYS = { device: "signed", gateway: "countersigned", nobody: "unchecked" } as const;

/** Keeps the newest of a map. */
function bound(map: Map<string, unknown>): void {
  if (map.size > REMEMBERED) map.delete(map.keys().next().value!);
}

const text = (hash: Uint8Array) => String.fromCharCode(...hash);

export class Evidence {
  /** Messages by what proves them now. */
  readonly counts: Record<Way, number> = { signed: 0, listed: 0, countersigned: 0, unchecked: 0 };
  /** Messages by the mode in which they came. */
  readonly modes: Record<Mode, number> = { S: 0, M: 0, E: 0 };
  /** The gateways that countersigned, by kid, hexadecimal. */
  readonly gateways = new Set<string>();
  /** Messages of which the device has signed another payload in a manifest, by boot and seq: "1 5". */
  readonly contradicted = new Set<string>();
  private readonly known = new Map<string, { readonly hash: string; way: Way }>();
  private readonly listed = new Map<string, string>();

  /** A message and what proves it. */
  take(message: Message, payload: Uint8Array, proof: Proof): Standing {
    const way = WAYS[proof.by];
    if (!("seq" in message)) {
      this.count(way, proof);
      return "new";
    }
    const place = `${message.boot} ${message.seq}`;
    const hash = text(payloadHash(payload, softCrypto));
    const earlier = this.known.get(place);
    if (earlier !== undefined) return earlier.hash === hash ? "known" : "other";
    const listed = this.listed.get(place);
    if (listed !== undefined && listed !== hash) return "other";
    this.listed.delete(place);
    const proven = listed !== undefined && way !== "signed" ? "listed" : way;
    this.known.set(place, { hash, way: proven });
    bound(this.known);
    this.count(proven, proof);
    // Under a MAC a manifest raises nothing.
    if (message.type === "manifest" && proof.by === "device") this.raise(message);
    return "new";
  }

  /** Whether this message was taken, as far as it is remembered. */
  has(boot: number, seq: number): boolean {
    return this.known.has(`${boot} ${seq}`);
  }

  /** Lowest level of all that was taken: 1 mac, 2 mac and countersignature, 3 device-signed; null: nothing was. */
  get lowest(): number | null {
    const { unchecked, countersigned, listed, signed } = this.counts;
    return unchecked > 0 ? 1 : countersigned > 0 ? 2 : listed + signed > 0 ? 3 : null;
  }

  /** In which the board speaks: births are never in E, and in M manifests are in S. null: it has not spoken. */
  get mode(): Mode | null {
    const { S, M, E } = this.modes;
    return E > 0 ? "E" : M > 0 ? "M" : S > 0 ? "S" : null;
  }

  private count(way: Way, proof: Proof): void {
    this.counts[way]++;
    this.modes[proof.mode]++;
    if (proof.gateway !== null) this.gateways.add(proof.gateway);
  }

  /** What the manifest lists is device-signed; nothing of it where one of them is known with another payload. */
  private raise({ ofBoot, first, hashes }: ManifestMessage): void {
    const places: [place: string, hash: string][] = [];
    for (let i = 0; i < hashes.length / PAYLOAD_HASH_LENGTH; i++) {
      const hash = text(hashes.subarray(PAYLOAD_HASH_LENGTH * i, PAYLOAD_HASH_LENGTH * (i + 1)));
      places.push([`${ofBoot} ${first + i}`, hash]);
    }
    const others = places.filter(
      ([place, hash]) => (this.known.get(place)?.hash ?? this.listed.get(place) ?? hash) !== hash,
    );
    for (const [place] of others) if (this.contradicted.size < CONTRADICTED) this.contradicted.add(place);
    if (others.length > 0) return;
    for (const [place, hash] of places) {
      const one = this.known.get(place);
      if (one === undefined) {
        this.listed.set(place, hash);
        bound(this.listed);
      } else if (one.way === "countersigned" || one.way === "unchecked") {
        this.counts[one.way]--;
        this.counts.listed++;
        one.way = "listed";
      }
    }
  }
}
