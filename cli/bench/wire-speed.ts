/** What a receiver pays beside the signature: ratios within one run. */
import { decodeEnvelope } from "../../protocol/cose.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { decodeMessage } from "../../protocol/messages.ts";
import { type Figure, figure, percentile } from "./bench.ts";
import type { WirePacket } from "./wire-packets.ts";
import { authenticate, isAuthentic, isSigned, macKey, open, payloadOf, seal } from "./wire-vsp.ts";

/** Strict decoding, % of the signature's verification. */
const DECODE = 5;
/** Verifications in mode M in the time of one in mode S. */
const MAC_RATIO = 8;
const RICE = 2;
const WARM_UP = 2000;
/** Rounds, each of every piece of work in turn: what disturbs one disturbs the other. */
const ROUNDS = 40;
const TURNS = 50;

/** us a call, the median of the rounds, of each piece of work. */
function timed(...work: readonly ((turn: number) => void)[]): number[] {
  for (const one of work) for (let turn = 0; turn < WARM_UP; turn++) one(turn);
  const times: number[][] = work.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    work.forEach((one, i) => {
      const start = performance.now();
      for (let turn = 0; turn < TURNS; turn++) one(turn);
      times[i]!.push(((performance.now() - start) * 1000) / TURNS);
    });
  }
  return times.map((own) => percentile(own, 50));
}

/** Times are this machine's; the ratios and their limits are what counts. */
export function speedFigures(packets: readonly WirePacket[]): Figure[] {
  const sealed = packets.map((packet) => seal(payloadOf(packet, RICE)));
  const envelopes = sealed.map((bytes) => decodeEnvelope(bytes));
  const key = macKey(packets[0]!.boot);
  const macs = packets.map((packet) => decodeMac0(authenticate(payloadOf(packet, RICE), key)));
  const of = <T>(all: readonly T[], turn: number) => all[turn % all.length]!;
  const [frame, decode, verify, verifyMac] = timed(
    (turn) => decodeMessage(decodeEnvelope(of(sealed, turn)).payload),
    (turn) => open(of(sealed, turn)),
    (turn) => isSigned(of(envelopes, turn)),
    (turn) => isAuthentic(of(macs, turn), key),
  ) as [number, number, number, number];
  return [
    figure("Ed25519 verification of a packet", verify, "us", null),
    figure("strict decoding: envelope and payload", frame, "us", null),
    figure("strict decoding: envelope, payload and samples", decode, "us", null),
    figure("envelope and payload, of the verification", (100 * frame) / verify, "%", ["at most", DECODE]),
    figure("envelope, payload and samples, of the verification", (100 * decode) / verify, "%", null),
    figure("verifications in mode M in the time of one in mode S", verify / verifyMac, "", ["at least", MAC_RATIO]),
  ];
}
