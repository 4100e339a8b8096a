/** The document of `demo --json` (CONTRACT.md). */
import { createHash } from "node:crypto";
import { rejected } from "../gateway/origin.ts";
import { alarmEpisodes, channelName, readBoot, type StoredBoot, toPhysical } from "../gateway/read.ts";
import { MDC_HEART_RATE, MDC_PERFUSION_INDEX, MDC_PULSE_RATE, MDC_SPO2 } from "../protocol/messages.ts";
import { TEMPERATURES, vitalChannel } from "../protocol/vital.ts";
import { wardTruth } from "./fault-plan.ts";
import type { Ward, WardBoard } from "./ward.ts";

const VITALS = {
  heartRate: [MDC_HEART_RATE],
  pulseRate: [MDC_PULSE_RATE],
  spo2: [MDC_SPO2],
  perfusionIndex: [MDC_PERFUSION_INDEX],
  temperature: TEMPERATURES,
};

export function reportOf(
  ward: Ward,
  options: { seed: number; store?: string; faults?: string },
  seconds: number | undefined,
) {
  return {
    seed: options.seed,
    seconds: seconds ?? Math.floor(ward.clock.now / 1e6),
    store: options.store ?? null,
    boards: ward.boards.map((board) => boardReport(ward, board)),
    ...(options.faults !== undefined && { faults: wardTruth(ward) }),
  };
}

function boardReport(ward: Ward, board: WardBoard) {
  const { node } = board;
  const counters = board.counters();
  const device = ward.gateway.devices.get(node.signer.kid)!;
  const stored = readBoot(ward.gateway.store, node.signer.kid, node.boot);
  return {
    kid: board.kid,
    transport: board.transport,
    evidence: stored?.evidence ?? 0,
    packets: {
      produced: node.runtime.produced,
      received: counters.received - counters.presences,
      verified: counters.verified - counters.presences,
      rejected: rejected(counters),
      duplicates: counters.duplicates,
      gaps: ward.gateway.devices.boot(device, node.boot).settled.missing,
    },
    wireBytes: node.runtime.wireBytes,
    linkBytes: board.link.linkBytes,
    channels: stored === null ? [] : channelReports(stored, board),
    vitals: stored === null ? null : lastVitals(stored),
    alarms: stored === null ? [] : alarmEpisodes(stored),
  };
}

function channelReports(stored: StoredBoot, board: WardBoard) {
  const waveforms = [...stored.channels.values()].filter(({ blocks }) => blocks.length > 0);
  return waveforms.map((channel) => {
    const { definition, blocks } = channel;
    const hash = createHash("sha256");
    let samples = 0;
    for (const block of blocks) {
      samples += block.samples.length;
      const bytes = Buffer.alloc(4 * block.samples.length);
      for (let i = 0; i < block.samples.length; i++) bytes.writeInt32LE(block.samples[i], 4 * i);
      hash.update(bytes);
    }
    const name = channelName(channel);
    const source = board.node.sources.find((one) => one.name === name);
    return {
      id: definition.id,
      name,
      mdc: definition.mdc,
      rate: definition.rateMilliHz / 1000,
      samples,
      sourceSha256: source?.digest() ?? null,
      storedSha256: hash.digest("hex"),
    };
  });
}

/** The last value of each, or null where the last one says that it could not be measured. */
function lastVitals(stored: StoredBoot) {
  const definitions = [...stored.channels.values()].map(({ definition }) => definition);
  const last = (codes: readonly number[]) => {
    const definition = vitalChannel(definitions, codes);
    const raw = definition === null ? null : (stored.channels.get(definition.id)!.values.at(-1)?.raw ?? null);
    if (definition === null || raw === null) return null;
    return Number(toPhysical(definition, raw).toFixed(Math.max(0, -definition.exp10)));
  };
  return Object.fromEntries(Object.entries(VITALS).map(([name, codes]) => [name, last(codes)]));
}
