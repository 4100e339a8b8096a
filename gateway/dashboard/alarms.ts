/** The alarms of one boot of a board, from its events alone: what stands, and in which order a person should see it. Pure. */
import {
  ALARM_ACTIVE,
  ALARM_INACTIVE,
  ALARM_LATCHED,
  ALARM_PAUSED,
  ALARM_STATE_WORDS,
  type AlarmEvent,
  type AlarmKind,
  alarmKind,
  alarmWords,
  type ChannelDefinition,
  decodeAlarm,
  EVENT_ALARM,
  type EventMessage,
  PRIORITY_WORDS,
} from "../../protocol/messages.ts";
import { claimText, exactDecimal, trimDecimal, unitText } from "./scales.ts";
import { longSpanWords, spanWords } from "./words.ts";

/** An alarm as its newest event tells it. */
export interface Alarm extends AlarmEvent {
  /** Which one of the boot: two thermometers have an alarm of the same id each. */
  readonly key: string;
  readonly kind: AlarmKind;
  readonly seq: number;
  /** Board time of the event, us. */
  readonly time: number;
  /** Board time at which the condition began, us. */
  readonly onset: number;
  /** Of its channel; null: none, or its birth has not come. */
  readonly definition: ChannelDefinition | null;
  /** How old its event was when it came, ms; of one in time 0. */
  readonly late: number;
}

/** A change of an alarm, and the state before: ALARM_INACTIVE where there was none. */
export interface AlarmChange {
  readonly alarm: Alarm;
  readonly before: number;
}

/** Decimals of values in words. */
const DECIMALS = 1;

/** Older than this at its arrival an event is reviewed, never sounded as an alarm (PROTOCOL.md section 4); ms. */
const REVIEWED = 30_000;

/** The alarm of an event; null: it tells of none. `define`: the channel of an id. `age`: how old the event was when it came, ms. */
export function alarmOf(
  { code, small, seq, tick }: Pick<EventMessage, "code" | "small" | "seq" | "tick">,
  define: (id: number) => ChannelDefinition | undefined,
  age = 0,
): Alarm | null {
  const event = code === EVENT_ALARM ? decodeAlarm(small) : null;
  if (event === null) return null;
  const time = tick * 1000;
  const definition = event.channel === null ? null : (define(event.channel) ?? null);
  return {
    ...event,
    key: `${event.id} ${event.channel}`,
    kind: alarmKind(event.id)!,
    seq,
    time,
    onset: time + event.dt,
    definition,
    late: age > REVIEWED ? age : 0,
  };
}

export class Alarms {
  private readonly newest = new Map<string, Alarm>();

  /** Takes an event of the boot, in any order: an older one changes nothing. null: nothing changed. */
  take(event: EventMessage, define: (id: number) => ChannelDefinition | undefined, age = 0): AlarmChange | null {
    const alarm = alarmOf(event, define, age);
    if (alarm === null) return null;
    const known = this.newest.get(alarm.key);
    if (known !== undefined && known.seq >= alarm.seq) return null;
    this.newest.set(alarm.key, alarm);
    return { alarm, before: known?.state ?? ALARM_INACTIVE };
  }

  /** What is not over, the most urgent first: what a person has first, technical alarms behind, each by priority, state and age. */
  get standing(): Alarm[] {
    const alarms = [...this.newest.values()].filter(({ kind, state }) => kind !== "all" && state !== ALARM_INACTIVE);
    const technical = ({ kind }: Alarm) => (kind === "technical" ? 1 : 0);
    return alarms.sort(
      (a, b) =>
        technical(a) - technical(b) || a.priority - b.priority || a.state - b.state || a.onset - b.onset || a.id - b.id,
    );
  }

  /** The pause of all alarms; null: there is none. */
  get pause(): Alarm | null {
    const pause = [...this.newest.values()].find(({ kind }) => kind === "all");
    return pause?.state === ALARM_PAUSED ? pause : null;
  }
}

/** "high", "medium", "low". */
export const priorityWord = ({ priority }: Pick<AlarmEvent, "priority">) => PRIORITY_WORDS[priority];

/** "!!!", "!!", "!": the priority for who sees no colours. */
export const priorityMark = ({ priority }: Pick<AlarmEvent, "priority">) => "!".repeat(4 - priority);

/** What a person is told of a state besides the alarm itself; empty: it holds, and nobody has said that he knows. */
export function stateWords({ state }: Pick<AlarmEvent, "state">): string {
  if (state === ALARM_ACTIVE) return "";
  return state === ALARM_LATCHED ? "latched: it has ended unseen" : ALARM_STATE_WORDS[state];
}

/** "told 9 min late": it is of an outage, and was not sounded; empty: it came in time. */
export const lateWords = ({ late }: Pick<Alarm, "late">) => (late === 0 ? "" : `told ${longSpanWords(late)} late`);

/** "SpO2", "heart rate": whose alarm it is. */
const vitalOf = (id: number) => alarmWords(id).replace(/ (low|high|not measured)$/, "");

const isLow = (id: number) => alarmWords(id).endsWith(" low");

/** "below 90 %", "above 120 /min"; empty: no limit, or the channel is not known. */
export function limitWords({ id, kind, limit, definition }: Alarm): string {
  if (kind !== "limit" || limit === null || definition === null) return "";
  const text = trimDecimal(exactDecimal(definition, limit));
  return `${isLow(id) ? "below" : "above"} ${text} ${unitText(definition.ucum)}`;
}

/** "< 90", "> 120": in short; empty as `limitWords`. */
export function limitSign(alarm: Alarm): string {
  const words = limitWords(alarm).split(" ");
  return words.length < 2 ? "" : `${isLow(alarm.id) ? "<" : ">"} ${words[1]}`;
}

/** What an alarm stands for: "SpO2 below 90 %", "asystole", "SpO2 not measured for 20 s". */
export function conditionWords(alarm: Alarm): string {
  const limit = limitWords(alarm);
  if (limit !== "") return `${vitalOf(alarm.id)} ${limit}`;
  const words = alarmWords(alarm.id);
  return alarm.kind === "technical" ? `${words} for ${alarm.limit} s` : words;
}

/** The value that an event carries, with its unit; empty: none. */
function valueWords({ value, definition }: Alarm): string {
  if (value === null || definition === null) return "";
  return `${claimText(definition, value, DECIMALS)} ${unitText(definition.ucum)}`;
}

/** An event as a line: "ALARM high: SpO2 82.0 % below 90 (since 12 s)", "alarm ended: SpO2 low, now 95.2 % (after 64 s)". */
export function eventWords(alarm: Alarm): string {
  const { id, kind, state, limit, definition } = alarm;
  if (kind === "all") return state === ALARM_PAUSED ? `alarms paused for ${limit} s` : "alarms are no longer paused";
  const value = valueWords(alarm);
  const span = spanWords((alarm.time - alarm.onset) / 1000);
  if (state === ALARM_INACTIVE || state === ALARM_LATCHED) {
    const now = value === "" ? "" : `, now ${value}`;
    const word = state === ALARM_INACTIVE ? "ended" : `latched, ${priorityWord(alarm)}`;
    return `alarm ${word}: ${alarmWords(id)}${now} (after ${span})`;
  }
  const head = state === ALARM_ACTIVE ? "ALARM" : `alarm ${ALARM_STATE_WORDS[state]},`;
  const measured = kind === "limit" && value !== "" && limit !== null && definition !== null;
  const what = measured
    ? `${vitalOf(id)} ${value} ${isLow(id) ? "below" : "above"} ${trimDecimal(exactDecimal(definition, limit))}`
    : conditionWords(alarm);
  return `${head} ${priorityWord(alarm)}: ${what} (since ${span})`;
}

/**
 * A standing alarm in short, as of the board's clock `now`, us: "SpO2 82.0 < 90 % since 14 s". `raw`: the vital's newest value,
 * null where it cannot be measured; the alarm stands nevertheless. `withState`: its state stands behind it in a word.
 */
export function standingWords(alarm: Alarm, raw: number | null, now: number, withState = true): string {
  const { id, kind, limit, definition } = alarm;
  const state = withState ? stateWords(alarm).replace(/:.*/, "") : "";
  const since = `since ${spanWords((now - alarm.onset) / 1000)}${state === "" ? "" : `, ${state}`}`;
  if (kind !== "limit" || limit === null || definition === null) return `${conditionWords(alarm)} ${since}`;
  const value = raw === null ? "--" : claimText(definition, raw, DECIMALS);
  const unit = unitText(definition.ucum);
  const beyond = raw !== null && (isLow(id) ? raw < limit : raw > limit);
  // A value that has a sign itself, or that is beyond the limit no longer, does not stand before another sign.
  if (beyond && /^[-\d]/.test(value)) return `${vitalOf(id)} ${value} ${limitSign(alarm)} ${unit} ${since}`;
  const bound = trimDecimal(exactDecimal(definition, limit));
  return `${vitalOf(id)} ${value} ${unit}, ${isLow(id) ? "low" : "high"} limit ${bound}, ${since}`;
}
