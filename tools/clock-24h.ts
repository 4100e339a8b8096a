/**
 * How well stored times are known, on a whole simulated board: chips whose oscillators are off, a board's crystal that is
 * off and wanders, a way to the gateway with delays; registers in, stored times out, held against the moments at which the
 * emulators really converted.
 *
 *   node --import tsx tools/clock-24h.ts [--hours 24] [--delay loopback|wifi] [--oscillator 1.01] [--drift 30] [--seed 1] [--no-pings]
 */
import { parseArgs } from "node:util";
import { type Crystal, createVirtualClock } from "../boards/simulated.ts";
import type { Link, LinkEvents } from "../firmware/link.ts";
import { Gateway } from "../gateway/gateway.ts";
import { createCounters, type Origin } from "../gateway/origin.ts";
import { channelName, readBoot } from "../gateway/read.ts";
import { openSqliteStore } from "../gateway/store/sqlite.ts";
import { encodeCard } from "../protocol/card.ts";
import { nodeAead, nodeCrypto } from "../protocol/crypto.node.ts";
import { testOnlySigner } from "../simulator/keys.ts";
import { createVirtualNode } from "../simulator/node.ts";
import { createRandom } from "../simulator/random.ts";

/** Unix time of the start, ms. */
const EPOCH = 1_767_225_600_000;
const HOUR = 3600e6;
/** After so long the uncertainty is told, us. */
const SETTLED = 900e6;
/** One-way delays: the smallest, and the mean of an exponential on top, us; how often a message waits, and how long. */
const DELAYS = {
  loopback: { least: 100, mean: 200, every: 97, burst: 50_000 },
  wifi: { least: 5000, mean: 20_000, every: 997, burst: 500_000 },
};

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "24" },
    delay: { type: "string", default: "loopback" },
    oscillator: { type: "string", default: "1.01" },
    drift: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    "no-pings": { type: "boolean", default: false },
  },
});
const hours = Number(values.hours);
const delay = DELAYS[values.delay as keyof typeof DELAYS];
if (!(hours > 0) || delay === undefined) throw new Error("--hours is above 0, --delay is loopback or wifi");

const clock = createVirtualClock();
const random = createRandom(`clock ${values.seed}`);
const drift = Number(values.drift) * 1e-6;
/** The crystal's rate swings by 8 ppm within three hours, as a room does: 17 ppm an hour at most. */
const swing = 8e-6;
const turn = (2 * Math.PI) / (3 * HOUR);
const crystal: Crystal = (since) => since * (1 + drift) + (swing / turn) * (1 - Math.cos(turn * since));

let sent = 0;
/** Each way keeps its order, as a line or a connection does. */
function createWay(deliver: (message: Uint8Array) => void) {
  let last = 0;
  return (message: Uint8Array) => {
    const wait = ++sent % delay.every === 0 ? delay.burst : 0;
    last = Math.max(last, clock.now + delay.least - delay.mean * Math.log(1 - random.uniform()) + wait);
    clock.at(last, () => deliver(message));
  };
}

const gatewaySigner = testOnlySigner("gateway", values.seed);
const gateway = new Gateway({
  store: openSqliteStore(":memory:"),
  crypto: nodeCrypto,
  aead: nodeAead,
  signer: gatewaySigner,
  now: () => EPOCH + clock.now / 1000,
  soon: (callback) => void clock.at(clock.now, callback),
  pings: !values["no-pings"],
  onError: (error) => {
    throw error;
  },
  onRefused: (_origin, reason, detail) => process.stderr.write(`refused: ${reason} ${detail}\n`),
});

let listener: LinkEvents | null = null;
const down = createWay((message) => listener?.onMessage(message));
const origin: Origin = { name: "delayed", counters: createCounters(), reply: down };
const up = createWay((message) => void gateway.receive(message, origin));
const link: Link = {
  presence: false,
  open(events) {
    listener = events;
    clock.at(clock.now, () => events.onUp(1));
  },
  send(_letter, message) {
    up(message);
    return true;
  },
  close: (done) => void clock.at(clock.now, done),
};
const node = createVirtualNode({
  clock,
  seed: Number(values.seed),
  index: 0,
  noise: false,
  crystal,
  oscillator: Number(values.oscillator),
  gateways: [gatewaySigner],
  boot: () => 1,
  link: () => link,
});
const site = testOnlySigner("site", values.seed);
for (const [{ kid, publicKey }, role] of [
  [node.signer, "device"],
  [gatewaySigner, "gateway"],
] as const) {
  const issuedAt = EPOCH / 1000;
  const card = encodeCard({ issuer: "TEST-ONLY", role, kid, publicKey, issuedAt, expires: issuedAt + 1e7 }, site);
  gateway.devices.enroll(card, site.publicKey, true);
}

/** When each sample was converted, us of the virtual clock. */
const truth = new Map<string, { times: Float64Array; count: number }>();
for (const emulator of Object.values(node.emulators)) {
  const before = emulator.onConvert;
  emulator.onConvert = (channel, code, at) => {
    before?.(channel, code, at);
    let one = truth.get(channel);
    if (one === undefined) {
      one = { times: new Float64Array(1 << 16), count: 0 };
      truth.set(channel, one);
    }
    if (one.count === one.times.length) {
      const grown = new Float64Array(2 * one.times.length);
      grown.set(one.times);
      one.times = grown;
    }
    one.times[one.count++] = at;
  };
}

const began = performance.now();
node.runtime.start();
clock.runUntil(hours * HOUR);
const ran = performance.now() - began;
const stored = readBoot(gateway.store, node.signer.kid, 1);
if (stored === null) throw new Error("nothing was stored");

const report = [...stored.channels.values()].flatMap((channel) => {
  const name = channelName(channel);
  const one = truth.get(name);
  if (channel.blocks.length === 0 || one === undefined) return [];
  const row = {
    channel: name,
    samples: 0,
    untimed: 0,
    outside: 0,
    worstError: 0,
    worstShare: 0,
    first15min: 0,
    after15min: 0,
  };
  for (const { seg, idx, samples, utc, interval } of channel.blocks) {
    if (seg !== 0) throw new Error(`${name}: segment ${seg}; the truth is known of segment 0`);
    row.samples += samples.length;
    if (utc === null) {
      row.untimed += samples.length;
      continue;
    }
    for (let i = 0; i < samples.length; i++) {
      const error = Math.abs(utc.utc + i * interval - EPOCH * 1000 - one.times[idx + i]);
      if (error > utc.uncertainty) row.outside++;
      row.worstError = Math.max(row.worstError, Math.round(error));
      row.worstShare = Math.max(row.worstShare, error / utc.uncertainty);
    }
    const early = one.times[idx] < SETTLED;
    if (early) row.first15min = Math.max(row.first15min, Math.ceil(utc.uncertainty));
    else row.after15min = Math.max(row.after15min, Math.ceil(utc.uncertainty));
  }
  return [{ ...row, worstShare: Number(row.worstShare.toFixed(3)) }];
});
const counters = origin.counters;
process.stdout.write(
  `${JSON.stringify({ hours, delay: values.delay, oscillator: values.oscillator, driftPpm: values.drift, pings: !values["no-pings"], messages: counters.verified, realSeconds: Math.round(ran / 1000), usOf: "error and uncertainty", channels: report }, null, 1)}\n`,
);
if (report.length === 0 || report.some(({ outside }) => outside > 0)) process.exitCode = 1;
