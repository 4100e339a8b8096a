/** What a receiver pays beside the signature, and a board for the codec: ratios within one run, and counted statements. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { type Figure, figure, percentile } from "./bench.ts";
import type { WirePacket } from "./wire-packets.ts";
import { isSigned, open, payloadOf, seal } from "./wire-vsp.ts";

const COUNTER = fileURLToPath(new URL("../../tools/count-statements.ts", import.meta.url));
/** Strict decoding, % of the signature's verification. */
const DECODE = 5;
/** Statements a sample of codec 2's encoder. */
const STATEMENTS = 80;
const RICE = 2;
const WARM_UP = 300;
/** Rounds, each of both kinds of work in turn: what disturbs one disturbs the other. */
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

/** Throws Error where the counting program fails. */
export async function speedFigures(packets: readonly WirePacket[], say: (line: string) => void): Promise<Figure[]> {
  const sealed = packets.map((packet) => seal(payloadOf(packet, RICE)));
  const envelopes = sealed.map((bytes) => decodeEnvelope(bytes));
  const [decode, verify] = timed(
    (turn) => open(sealed[turn % sealed.length]!),
    (turn) => isSigned(envelopes[turn % envelopes.length]!),
  ) as [number, number];
  const figures = [
    figure("Ed25519 verification of a packet", verify, "us", null),
    figure("strict decoding: envelope, payload, samples", decode, "us", null),
    figure("strict decoding, of the verification", (100 * decode) / verify, "%", ["at most", DECODE]),
  ];
  if (existsSync(COUNTER)) figures.push(...statementFigures(countStatements()));
  else say("statements of the codecs are counted in a checkout of the repository: they are left out");
  return figures;
}

function countStatements(): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", COUNTER], { encoding: "utf8" });
  if (status !== 0)
    throw new Error(`bench wire: ${stderr.trim().split("\n").at(-1)} (${COUNTER} ended with ${status})`);
  return stdout;
}

/** From what tools/count-statements.ts prints; a codec that it does not name is NaN, beyond any limit. */
export function statementFigures(printed: string): Figure[] {
  return ["raw24", "delta", "rice"].map((name, codec) => {
    const found = new RegExp(`([\\d.]+) statements a sample: .*, codec ${codec} `).exec(printed);
    const limit = codec === RICE ? (["at most", STATEMENTS] as const) : null;
    const bound = limit === null ? null : ([limit[0], limit[1]] as ["at most", number]);
    return figure(`encoding, ${name}: statements`, Number(found?.[1] ?? Number.NaN), "1/sample", bound);
  });
}
