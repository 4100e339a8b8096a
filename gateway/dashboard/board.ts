/** What the page knows of one board: only what it verified itself, and beside it what the gateway says. Pure, no page, no clock. */
import {
  type BirthMessage,
  type ChannelDefinition,
  type DataMessage,
  type EventMessage,
  type Message,
  qualFlags,
  qualSqi,
} from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { vitalChannel } from "../../protocol/vital.ts";
import { type Alarm, Alarms } from "./alarms.ts";
import type { Arrival, Span, State, Taken } from "./board-types.ts";
import { Evidence } from "./evidence.ts";
import type { BoardCounts, Notice } from "./feed.ts";
import { type HoleWords, Losses, lostBand, MISSING, NOT_HERE } from "./losses.ts";
import { CatchUp } from "./outage.ts";
import { Schedule } from "./playout.ts";
import type { Proof } from "./proof.ts";
import { none, type Reading, type Shown, shownOf } from "./reading.ts";
import { codesOf, ROLES, type Role, roleOf, VITALS } from "./scales.ts";
import { nameOf, ToldList, toldOf } from "./told.ts";
import { endOf, type Hole, Wave } from "./wave.ts";
import { longSpanWords } from "./words.ts";

export type { Arrival, Span, State, Taken } from "./board-types.ts";

/** Periods of silence after which a board counts as stopped: seen before two are over. */
const SILENT_PERIODS = 1.75;
/** A vital without news is shown this long at most, ms; longer only where messages come more rarely. */
export const VITAL_LIMIT = 3000;
/** Arrivals from which the packet rate is taken; none before a silence of so many ms. */
const RATE_BASIS = 11;
const OUTAGE = 10_000;

const NOTHING: Taken = { reborn: false, spans: [], backfill: false, past: false };

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
  /** What it tells of its sensors. */
  told = new ToldList();
  schedule = new Schedule();
  presence: { connection: number; state: 0 | 1 | 2 } | null = null;
  counts: BoardCounts | null = null;
  /** What it has declared lost, of any boot. */
  readonly losses = new Losses();
  readonly catchUp = new CatchUp();
  /** What a person should know of the board itself, as the gateway tells it. */
  notices: readonly Notice[] = [];
  /** What was taken, by what proves it here. */
  readonly evidence = new Evidence();
  /** What did not: how often, by the reason. */
  readonly failures = new Map<string, number>();
  /** When the newest data came, ms since the epoch; null: never. */
  heardAt: number | null = null;
  private newestTick = -1;
  /** Of the messages that the sweeps follow. */
  private pacedTick = -1;
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

  /** The newest birth of the boot: an older one may come later. */
  get birth(): BirthMessage | undefined {
    let newest: BirthMessage | undefined;
    for (const birth of this.births.values()) if (newest === undefined || birth.seq > newest.seq) newest = birth;
    return newest;
  }

  /** How long its outbox holds what it measures now, s; undefined: it does not say. */
  get offline(): number | undefined {
    return this.birth?.claims.offline;
  }

  /** What the gateway counted, come at `now`; `ahead`: this page's clock less the gateway's, ms. True: why there are holes may be another reason now. */
  count(counts: BoardCounts, now: number, ahead: number): boolean {
    const changed = (this.counts?.missing ?? 0) > 0 !== counts.missing > 0;
    this.counts = counts;
    this.catchUp.take(counts, now, ahead);
    return changed;
  }

  /** Why a sweep has a hole, as it stands in it; null: nothing that was sent is missing, the chip measured nothing. */
  holeWords({ after, before }: Hole): HoleWords | null {
    const why = this.losses.between(this.boot, after, before, (seq) => this.evidence.has(this.boot, seq));
    if (why === null || why !== "missing") return why && lostBand(why);
    // What the gateway has, this page may not have heard, or have refused.
    return this.counts?.missing === 0 ? NOT_HERE : MISSING;
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
    if (message.type === "birth" && message.seq > (this.births.get(message.cfg)?.seq ?? -1))
      this.births.set(message.cfg, message);
    if (message.type === "event") return { ...this.takeEvent(message, arrival), reborn };
    if (message.type !== "data") return { ...NOTHING, reborn };
    return { ...this.takeData(message, arrival), reborn };
  }

  private takeEvent(message: EventMessage, { at }: Arrival): Taken {
    const backfill = this.losses.take(message);
    const told = toldOf(message, (id) => this.channel(id), nameOf);
    if (told !== null) this.told.take(told, message.tick);
    const sinceNewest = this.newestTick < 0 ? 0 : this.boardTime(at) / 1000 - message.tick;
    const age = Math.max(sinceNewest, this.schedule.age(message.tick, at));
    const change = this.alarms.take(message, (id) => this.channel(id), age);
    return { ...NOTHING, backfill, past: change !== null && change.alarm.late > 0 };
  }

  private channel(id: number): ChannelDefinition | undefined {
    return this.birth?.channels.find((one) => one.id === id);
  }

  private begin(boot: number): void {
    this.boot = boot;
    this.births = new Map();
    this.waves = new Map();
    this.vitals = new Map();
    this.alarms = new Alarms();
    this.told = new ToldList();
    this.schedule = new Schedule();
    this.newestTick = -1;
    this.pacedTick = -1;
    this.arrivals = [];
  }

  private takeData(message: DataMessage, { at, live }: Arrival): Omit<Taken, "reborn"> {
    const birth = this.births.get(message.cfg);
    if (birth === undefined) {
      this.fail("data before their birth");
      return NOTHING;
    }
    // Vitals may travel in messages of their own: the sweeps follow those that carry waveforms.
    const paced = this.roles.length === 0 || message.channels.some(({ kind }) => kind === "wave");
    if (paced && message.tick > this.pacedTick) {
      if (live) this.schedule.arrived(message.tick, at);
      else this.schedule.remembered(message.tick);
      this.pacedTick = message.tick;
    }
    const past = message.tick < this.newestTick;
    if (message.tick > this.newestTick) {
      const silence = at - (this.arrivals.at(-1) ?? at);
      this.arrivals = silence > OUTAGE ? [at] : [...this.arrivals, at].slice(-RATE_BASIS);
      // What comes late is no sign that the board is well now.
      if (!this.late) this.heardAt = at;
      this.newestTick = message.tick;
    }
    // A value of a time before is as old as the board's clock has gone on since.
    const heardAt = at - (this.newestTick - message.tick);
    const spans = new Map<Role, Span>();
    let backfill = false;
    for (const block of message.channels) {
      const definition = birth.channels.find(({ id }) => id === block.id);
      if (definition === undefined) continue;
      const time = message.tick * 1000 + block.dt;
      const flags = qualFlags(block.qual);
      if (block.kind === "wave" || block.value !== null)
        this.told.measured(definition.attributes.chip ?? "", message.tick);
      if (block.kind === "num") {
        const earlier = this.vitals.get(block.id);
        const quality = qualSqi(block.qual);
        if (earlier === undefined || time > earlier.time)
          this.vitals.set(block.id, { definition, raw: block.value, flags, quality, time, heardAt });
        continue;
      }
      const role = roleOf(definition);
      if (role === null) continue;
      const wave = this.wave(role, definition, time);
      if (wave === null) continue;
      const samples = decodeSamples(block.codec, block.bytes, block.n);
      const place = wave.add({ seq: message.seq, seg: block.seg, idx: block.idx, time, samples, flags });
      if (place === "backfill") backfill = true;
      if (place === "new") {
        const first = spans.get(role)?.first ?? time;
        spans.set(role, { role, first, last: endOf(wave.newest!) });
      }
    }
    return { spans: [...spans.values()], backfill, past };
  }

  /** null: samples of this time, us, have another rate than what is drawn since. */
  private wave(role: Role, definition: ChannelDefinition, time: number): Wave | null {
    const known = this.waves.get(role);
    if (known !== undefined && known.definition.rateMilliHz === definition.rateMilliHz) return known;
    if (known?.newest !== undefined && time < known.newest.time) return null;
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
      return none(`no data for ${longSpanWords(Math.floor(age / 1000) * 1000).replace(".0", "")}`);
    const kind = VITALS.find((one) => one.mdc === mdc);
    return shownOf(reading, kind, this.definitionOf(kind?.role ?? null)?.attributes.site);
  }
}
