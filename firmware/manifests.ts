/**
 * Collects the payload hashes of a board in mode "mac" and says when a manifest over them is due (PROTOCOL.md section 3): one
 * signature then stands for all of them. A manifest takes a seq and is not in a hash list itself, so the next one begins
 * behind it: together they cover every seq of the boot.
 */
import type { Board } from "../boards/board.ts";
import type { Crypto } from "../protocol/cose.ts";
import { hashList, payloadHash } from "../protocol/manifest.ts";

/** Messages under one manifest at most. */
export const MANIFEST_MESSAGES = 60;
/** Board time from the first message of a batch to its manifest, ms. */
export const MANIFEST_PERIOD = 60000;

export interface Manifests {
  /**
   * Takes a message of the seq space that is no manifest, in the order of the seqs; returns its payload's hash. `lasts`: it is
   * kept longer than waveforms are.
   */
  add(seq: number, payload: Uint8Array, lasts: boolean): Uint8Array;
  /** Emits the manifest that is due by count: to be called when the message itself is on its way. */
  check(): void;
  /** Emits what there is: at the end. */
  flush(): void;
}

/** A manifest is kept as long as what lasts, where so much of what it lists does: one in so many. */
const SOME = 4;

/** `emit`: seals a manifest over seq `first`, first + 1, … under the next seq; not called for none. */
export function createManifests(
  board: Pick<Board, "timer">,
  crypto: Pick<Crypto, "sha256">,
  emit: (first: number, hashes: Uint8Array, lasts: boolean) => void,
): Manifests {
  let hashes: Uint8Array[] = [];
  let first = 0;
  let lasting = 0;
  let cancel = (): void => {};

  const flush = (): void => {
    cancel();
    if (hashes.length === 0) return;
    const list = hashList(hashes);
    const lasts = SOME * lasting >= hashes.length;
    hashes = [];
    lasting = 0;
    emit(first, list, lasts);
  };
  return {
    add(seq, payload, lasts) {
      if (hashes.length === 0) {
        first = seq;
        cancel = board.timer(MANIFEST_PERIOD, flush);
      }
      const hash = payloadHash(payload, crypto);
      hashes.push(hash);
      if (lasts) lasting++;
      return hash;
    },
    check() {
      if (hashes.length >= MANIFEST_MESSAGES) flush();
    },
    flush: flush,
  };
}
