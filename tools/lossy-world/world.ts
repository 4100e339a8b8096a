/** A lossy world: boards with power that goes, a network that loses, and the gateway that ships, in virtual time. */
import { createVirtualClock, type VirtualClock } from "../../boards/simulated.ts";
import { Gateway } from "../../gateway/gateway.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import type { DeviceAlarm } from "../../gateway/receiver.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { encodeCard } from "../../protocol/card.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { type BoardModel, packetBoard, registerBoard } from "../../simulator/lossy/boards.ts";
import { type Kept, keptInFlash, keptInRam } from "../../simulator/lossy/kept.ts";
import { createLife, type Life } from "../../simulator/lossy/life.ts";
import { createNetwork, type Network } from "../../simulator/lossy/network.ts";
import { drawWeather, moments, SECOND } from "../../simulator/lossy/weather.ts";
import { createRandom, type Random } from "../../simulator/random.ts";

export interface WorldOptions {
  readonly seed: number;
  /** Virtual time, us. */
  readonly until: number;
  /** packets: the firmware over a computed chip; registers: whole boards down to their chips' registers. */
  readonly kind: "packets" | "registers";
  /** How many boards; the last `signing` of them sign, the others MAC. */
  readonly boards: number;
  readonly signing: number;
  /** Share of messages that vanish, and that come twice. */
  readonly loss: number;
  readonly twice: number;
  /** Power cuts of each board. */
  readonly cuts: number;
  /** How long its power stays away at most, us. */
  readonly dark: number;
  readonly deaths: number;
  /** us. */
  readonly outage: number;
  /** What waits at the end has so long to arrive, us. */
  readonly drain: number;
  /** Between two packets of a packet board, ms. */
  readonly period: number;
  /** Room for what waits, bytes, in RAM or in flash; the last board of each mode has a quarter. */
  readonly room: number;
  /** Whether boards have flash: what waits outlives their power. */
  readonly flash: boolean;
  /** Called before the world runs: a seam for faults that a check must find. */
  readonly plant?: (world: World) => void;
}

export interface World {
  readonly options: WorldOptions;
  readonly clock: VirtualClock;
  /** Unix time of the clock's 0, ms. */
  readonly epoch: number;
  readonly gateway: Gateway;
  readonly network: Network;
  readonly lives: readonly Life[];
  /** What the gateway counted of each board, by name. */
  readonly counters: ReadonlyMap<string, Origin["counters"]>;
  readonly alarms: readonly DeviceAlarm[];
  /** Errors of the store. */
  readonly errors: readonly Error[];
}

export const DAY: WorldOptions = {
  seed: 1,
  until: 24 * 3600 * SECOND,
  kind: "packets",
  boards: 10,
  signing: 2,
  loss: 0.05,
  twice: 0.02,
  cuts: 10,
  dark: 300 * SECOND,
  deaths: 3,
  outage: 3600 * SECOND,
  drain: 2400 * SECOND,
  period: 10_000,
  room: 1 << 18,
  flash: true,
};

/** An hour of a day without a broker, and five minutes without power: of less time, at most a quarter and a fortieth. */
export function scaled(hours: number): Pick<WorldOptions, "until" | "outage" | "dark"> {
  const until = Math.round(hours * 3600 * SECOND);
  return { until, outage: Math.min(DAY.outage, until / 4), dark: Math.min(DAY.dark, until / 40) };
}

/** 2026-01-01T15:00:00Z: a day of the world lies in two of the calendar. */
const EPOCH = 1_767_279_600_000;
/** RAM of a board with flash for what waits, bytes; its flash. */
const RAM = 1 << 14;
const PAGE_SIZE = 4096;
/** ms. */
const WRITE_AFTER = 30_000;
const MARK_EVERY = 10_000;
/** How long the gateway gathers what shares a commit, us. */
const SOON = 10_000;
/** Boards are switched on within so long. */
const SWITCHED_ON = 20 * SECOND;
/** A board seals what its chips gave within so long: two packets where a poll came late. */
const SEALED_WITHIN = 25 * SECOND;
const DRAIN_STEP = 10 * SECOND;

/** What has to be stored or named at the end: sealed by then, or measured by `until` and sealed soon after. */
export const dueBy = (world: World): number => world.options.until + SEALED_WITHIN;

const gatewaySigner = testOnlySigner("gateway", "lossy world");
const site = testOnlySigner("site", "lossy world");

function modelOf(options: WorldOptions, index: number): BoardModel {
  const { seed, boards, signing, period } = options;
  const mode = index < boards - signing ? "mac" : "sign";
  const common = { seed, index, mode, gateways: [gatewaySigner] } as const;
  if (options.kind === "registers") return registerBoard(common);
  return packetBoard({ ...common, period, outboxBytes: options.flash ? RAM : roomOf(options, index) });
}

/** Short of the outage for the last board of each mode. */
function roomOf({ boards, signing, room }: WorldOptions, index: number): number {
  return index === boards - 1 || index === boards - signing - 1 ? room >> 2 : room;
}

/** Every second board with flash writes a message before it sends it; the others what no ack has settled in a while. */
function keptOf(options: WorldOptions, index: number, random: Random): Kept {
  if (!options.flash) return keptInRam();
  const writeAfter = index % 2 === 0 ? 0 : WRITE_AFTER;
  const pages = roomOf(options, index) / PAGE_SIZE;
  return keptInFlash({ random, pageSize: PAGE_SIZE, pages, writeAfter, markEvery: MARK_EVERY });
}

export function createWorld(options: WorldOptions): World {
  const clock = createVirtualClock();
  const random = createRandom(`lossy world ${options.seed}`);
  const alarms: DeviceAlarm[] = [];
  const errors: Error[] = [];
  const gateway = new Gateway({
    store: openSqliteStore(":memory:"),
    crypto: nodeCrypto,
    aead: nodeAead,
    signer: gatewaySigner,
    now: () => EPOCH + clock.now / 1000,
    soon: (callback) => void clock.at(clock.now + SOON, callback),
    pings: true,
    onAlarm: (alarm) => alarms.push(alarm),
    onError: (error) => errors.push(error),
  });
  const origins = new Map<string, Origin>();
  const network = createNetwork({
    clock,
    random: random.fork("network"),
    weather: drawWeather(random.fork("weather"), options),
    deliver: (name, _letter, message) => void gateway.receive(message, origins.get(name)!),
  });
  const issuedAt = EPOCH / 1000;
  const enroll = (role: "device" | "gateway", { kid, publicKey }: { kid: Uint8Array; publicKey: Uint8Array }) => {
    const card = encodeCard({ issuer: "TEST-ONLY", role, kid, publicKey, issuedAt, expires: issuedAt + 1e7 }, site);
    gateway.devices.enroll(card, site.publicKey, true);
  };
  enroll("gateway", gatewaySigner);
  const lives = Array.from({ length: options.boards }, (_, index) => {
    const model = modelOf(options, index);
    const { identity } = model;
    enroll("device", identity);
    if (identity.psk !== null) gateway.devices.givePsk(identity.kid, identity.psk, false);
    const own = random.fork(`board ${index}`);
    const kept = keptOf(options, index, own.fork("flash"));
    const from = Math.floor(own.uniform() * SWITCHED_ON);
    const cuts = moments(own, options.cuts, from + 60 * SECOND, options.until - options.dark);
    const life = createLife({ clock, random: own, network, model, kept, from, cuts, dark: options.dark });
    const { name } = life;
    origins.set(name, {
      name: `mqtt:${name}`,
      counters: createCounters(),
      reply: (message) => network.toBoard(name, message),
    });
    return life;
  });
  const counters = new Map([...origins].map(([name, origin]) => [name, origin.counters]));
  const world = { options, clock, epoch: EPOCH, gateway, network, lives, counters, alarms, errors };
  options.plant?.(world);
  return world;
}

/** A board is in the dark, or of what was due the gateway does not know all: it is neither stored nor disowned. */
function isBehind({ clock, gateway, lives, options }: World): boolean {
  return lives.some(({ model, kept, boots, current }) => {
    if (current === null) return true;
    const device = gateway.devices.get(model.identity.kid)!;
    return boots.some(({ boot, startedAt, endedAt, sealed }) => {
      // what a board without flash had when its power went, nobody will ever hear of
      if (endedAt !== null && kept.flash === null) return false;
      const due = Math.max(options.until, startedAt) + SEALED_WITHIN;
      if (clock.now < due) return true;
      let count = 0;
      // seqs rise with time
      if (endedAt === null) for (const { at } of sealed.values()) count += at <= due ? 1 : 0;
      // its end is due as well
      else count = sealed.size + 1;
      return gateway.devices.boot(device, boot).settled.next < count;
    });
  });
}

/** Runs to the end, and on until all that is due has been settled, bounded. */
export function runWorld(world: World): void {
  const { clock, options } = world;
  clock.runUntil(options.until);
  for (const { current } of world.lives) current?.advance();
  const limit = options.until + options.drain;
  while (clock.now < limit && isBehind(world)) clock.runUntil(clock.now + DRAIN_STEP);
}
