/** What the page knows of one board: only what it verified itself, and beside it what the gateway says. Pure, no page, no clock. */
import {
  type BirthMessage,
  type ChannelDefinition,
  type DataMessage,
  type Message,
  qualFlags,
  qualSqi,
} from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { vitalChannel } from "../../protocol/vital.ts";
import { type Alarm, Alarms } from "./alarms.ts";
import { Evidence } from "./evidence.ts";
import type { BoardCounts, Notice } from "./feed.ts";
import { Schedule } from "./playout.ts";
import type { Proof } from "./proof.ts";
import { claimText, codesOf, exactDecimal, ROLES, type Role, roleOf, VITALS } from "./scales.ts";
import { endOf, Wave } from "./wave.ts";
import { FLAGS, flagWords, spanWords } from "./words.ts";

/** Where a message came from and when, ms since the epoch by this page's clock. */
export interface Arrival {
  /** At the page; for what was stored before, when it came to the gateway. */
  readonly at: number;
  /** It came as it was stored; else it was stored before the page was there. */
  readonly live: boolean;
}

/** The newest value of a vital. */
export interface Reading {
  readonly definition: ChannelDefinition;
  readonly raw: number | null;
  readonly flags: number;
  /** Of the signal behind it, 0..100; null: not known. */
  readonly quality: number | null;
  /** Board time, us. */
  readonly time: number;
  /** ms since the epoch. */
  readonly heardAt: number;
}

/** A vital as it is shown. */
export interface Shown {
  /** Exact decimal; null: none. */
  readonly value: string | null;
  /** As a person reads it: "97.1", "< 70" where the channel claims no less, "--". */
  readonly text: string;
  readonly words: readonly string[];
}

export type State = "waiting" | "live" | "stopped" | "late" | "lost";

/** New samples of one sweep. */
export interface Span {
  readonly role: Role;
  /** Board time of the first and the last one, us. */
  readonly first: number;
  readonly last: number;
}

export interface Taken {
  /** The board was started anew: what is drawn belongs to an earlier boot. */
  readonly reborn: boolean;
  readonly spans: readonly Span[];
  /** Samples came for a time that is drawn already. */
  readonly backfill: boolean;
}

/** Periods of silence after which a board counts as stopped: seen before two are over. */
const SILENT_PERIODS = 1.75;
/** A vital without news is shown this long at most, ms; longer only where messages come more rarely. */
const VITAL_LIMIT = 3000;
/** Below this quality a number is of a poor signal, 0..100. */
const POOR = 50;
/** Arrivals from which the packet rate is taken. */
const RATE_BASIS = 11;

const NOTHING: Taken = { reborn: false, spans: [], backfill: false };

const none = (...words: string[]): Shown => ({ value: null, text: "--", words });

export class Board {
  readonly kid: string;
  readonly publicKey: Uint8Array;
  readonly issuer: string;
  boot = -1;
  births = new Map<number, BirthMessage>();
  waves = new Map<Role, Wave>();
  /** By channel. */
  vitals = new Map<number, Reading>();
  alarms = new Alarms();
  schedule = new Schedule();
  presence: { connection: number; state: 0 | 1 | 2 } | null = null;
  counts: BoardCounts | null = null;
  /** What a person should know of the board itself, as the gateway tells it. */
  notices: readonly Notice[] = [];
  /** What was taken, by what proves it here. */
  readonly evidence = new Evidence();
  /** What did not: how often, by the reason. */
  readonly failures = new Map<string, number>();
  /** When the newest data came, ms since the epoch; null: never. */
  heardAt: number | null = null;
  private newestTick = -1;
  private arrivals: number[] = [];

  constructor(kid: string, publicKey: Uint8Array, issuer: string) {
    this.kid = kid;
    this.publicKey = publicKey;
    this.issuer = issuer;
  }

  get failed(): number {
    let sum = 0;
    for (const count of this.failures.values()) sum += count;
    return sum;
  }

  fail(reason: string): void {
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
  }

  /** The newest birth of the boot. */
  get birth(): BirthMessage | undefined {
    return [...this.births.values()].at(-1);
  }

  /**
   * Takes a message and what proved it. What was taken before, and what an earlier boot sent, changes nothing; another payload
   * where one is known, or than a manifest lists, is refused.
   */
  take(message: Message, payload: Uint8Array, proof: Proof, arrival: Arrival): Taken {
    const standing = this.evidence.take(message, payload, proof);
    if (standing === "other") this.fail("another payload");
    if (message.type === "presence") {
      const id = message.connection;
      if (message.boot >= this.boot && (this.presence === null || id >= this.presence.connection))
        this.presence = { connection: id, state: message.state };
      return NOTHING;
    }
    if (!("seq" in message) || standing !== "new" || message.boot < this.boot) return NOTHING;
    const reborn = message.boot > this.boot;
    if (reborn) this.begin(message.boot);
    if (message.type === "birth") this.births.set(message.cfg, message);
    if (message.type === "event") this.alarms.take(message, (id) => this.birth?.channels.find((one) => one.id === id));
    if (message.type !== "data") return { ...NOTHING, reborn };
    return { ...this.takeData(message, arrival), reborn };
  }

  private begin(boot: number): void {
    this.boot = boot;
    this.births = new Map();
    this.waves = new Map();
    this.vitals = new Map();
    this.alarms = new Alarms();
    this.schedule = new Schedule();
    this.newestTick = -1;
    this.arrivals = [];
  }

  private takeData(message: DataMessage, { at, live }: Arrival): Omit<Taken, "reborn"> {
    const birth = this.births.get(message.cfg);
    if (birth === undefined) {
      this.fail("data before their birth");
      return NOTHING;
    }
    if (message.tick > this.newestTick) {
      if (live) this.schedule.arrived(message.tick, at);
      else this.schedule.remembered(message.tick);
      this.arrivals = [...this.arrivals, at].slice(-RATE_BASIS);
      // What comes late is no sign that the board is well now.
      if (!this.late) this.heardAt = at;
      this.newestTick = message.tick;
    }
    const spans = new Map<Role, Span>();
    let backfill = false;
    for (const block of message.channels) {
      const definition = birth.channels.find(({ id }) => id === block.id);
      if (definition === undefined) continue;
      const time = message.tick * 1000 + block.dt;
      const flags = qualFlags(block.qual);
      if (block.kind === "num") {
        const earlier = this.vitals.get(block.id);
        const quality = qualSqi(block.qual);
        if (earlier === undefined || time > earlier.time)
          this.vitals.set(block.id, { definition, raw: block.value, flags, quality, time, heardAt: at });
        continue;
      }
      const role = roleOf(definition);
      if (role === null) continue;
      const wave = this.wave(role, definition);
      const samples = decodeSamples(block.codec, block.bytes, block.n);
      const place = wave.add({ seg: block.seg, idx: block.idx, time, samples, flags });
      if (place === "backfill") backfill = true;
      if (place === "new") {
        const first = spans.get(role)?.first ?? time;
        spans.set(role, { role, first, last: endOf(wave.newest!) });
      }
    }
    return { spans: [...spans.values()], backfill };
  }

  private wave(role: Role, definition: ChannelDefinition): Wave {
    const known = this.waves.get(role);
    if (known !== undefined && known.definition.rateMilliHz === definition.rateMilliHz) return known;
    const wave = new Wave(definition);
    this.waves.set(role, wave);
    return wave;
  }

  private get late(): boolean {
    return this.schedule.late > Math.max(VITAL_LIMIT, 2 * this.schedule.period);
  }

  /** Messages with data a second, measured over the last ones; null: not known. */
  get rate(): number | null {
    const { arrivals } = this;
    const span = arrivals.length < 2 ? 0 : arrivals.at(-1)! - arrivals[0];
    return span > 0 ? ((arrivals.length - 1) * 1000) / span : null;
  }

  /** `connected`: the gateway is there. */
  state(now: number, connected: boolean): State {
    if (!connected) return "lost";
    if (this.births.size === 0 || this.heardAt === null) return "waiting";
    if (now - this.heardAt <= SILENT_PERIODS * this.schedule.period) return "live";
    return this.late && now - (this.arrivals.at(-1) ?? 0) <= SILENT_PERIODS * this.schedule.period ? "late" : "stopped";
  }

  /** Sweeps that this board has, from top to bottom. */
  get roles(): Role[] {
    const roles = new Set(this.birth?.channels.map(roleOf));
    return ROLES.filter((role) => roles.has(role));
  }

  /** The channel of a sweep; undefined: this board has none. */
  definitionOf(role: Role | null): ChannelDefinition | undefined {
    return this.birth?.channels.find((one) => role !== null && roleOf(one) === role);
  }

  /** The channel of a vital, by its code in VITALS; null: this board has none. */
  channelOf(mdc: number): ChannelDefinition | null {
    return vitalChannel(this.birth?.channels ?? [], codesOf(mdc));
  }

  /** The alarm that concerns a vital, the most urgent one; undefined: none. */
  alarmOf(mdc: number): Alarm | undefined {
    const codes = codesOf(mdc);
    return this.alarms.standing.find(({ definition }) => definition !== null && codes.includes(definition.mdc));
  }

  /** The board's clock at `now`, as far as its newest message tells it, us. */
  boardTime(now: number): number {
    return (this.newestTick + Math.max(0, now - (this.arrivals.at(-1) ?? now))) * 1000;
  }

  /** The vital of this code as it may be shown at `now`: never older than its limit. */
  shown(mdc: number, now: number, state: State): Shown {
    if (this.births.size === 0) return none();
    const channel = this.channelOf(mdc);
    if (channel === null) return none("not measured");
    const reading = this.vitals.get(channel.id);
    if (reading === undefined || reading.definition.mdc !== channel.mdc) return none("no value yet");
    const age = now - reading.heardAt;
    if (state !== "live" || age > Math.max(VITAL_LIMIT, 3 * this.schedule.period))
      return none(`no data for ${spanWords(Math.floor(age / 1000) * 1000).replace(".0", "")}`);
    const { definition, raw, flags, quality } = reading;
    const kind = VITALS.find((one) => one.mdc === mdc);
    const words = flagWords(flags & ~FLAGS.testSignal, this.definitionOf(kind?.role ?? null)?.attributes.site);
    if (flags & FLAGS.testSignal) words.push("test signal");
    if (raw === null) return none(...words);
    if (quality !== null && quality < POOR) words.push("poor signal");
    return { value: exactDecimal(definition, raw), text: claimText(definition, raw, kind?.decimals ?? 2), words };
  }
}
