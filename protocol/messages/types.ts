/** The eight messages of VSP/1 (PROTOCOL.md section 2, vsp.cddl). All numbers are integers below 2^53. Device side. */

/** What every message of the sequence carries. */
export interface Header {
  /** Number of the boot, u32; committed to storage before the first message of the boot. */
  readonly boot: number;
  /** Number of the message within the boot, u32. */
  readonly seq: number;
  /** ms since boot. */
  readonly tick: number;
}

/** A block of waveform samples. */
export interface Wave {
  readonly kind: "wave";
  /** Channel, 0..63. */
  readonly id: number;
  /** Segment: rises, and `idx` restarts, whenever the number of lost samples is not exactly known. */
  readonly seg: number;
  /** Index of the first sample within the segment. */
  readonly idx: number;
  /** Time of the first sample, us relative to tick x 1000. */
  readonly dt: number;
  /** 0 raw24be, 1 delta, 2 rice (samples.ts). */
  readonly codec: 0 | 1 | 2;
  /** Samples in `bytes`, 1..1024. */
  readonly n: number;
  readonly bytes: Uint8Array;
  /** sqi + 128 x flags (codes.ts), or null: not judged. */
  readonly qual: number | null;
}

/** One value. */
export interface Num {
  readonly kind: "num";
  /** Channel, 0..63. */
  readonly id: number;
  /** Time of the value, us relative to tick x 1000. */
  readonly dt: number;
  /** Raw value; null: could not be measured, and then `qual` says why with at least one flag. */
  readonly value: number | null;
  readonly qual: number | null;
}

export interface DataMessage extends Header {
  readonly type: "data";
  /** Configuration, u16, whose birth defines the channels. */
  readonly cfg: number;
  /** 1..16 blocks; a channel may come several times. */
  readonly channels: ReadonlyArray<Wave | Num>;
}

/** What is known of a channel. Absent: not known. */
export interface Attributes {
  /** "infrared", "red", "respiration". */
  readonly role?: string;
  readonly chip?: string;
  /** Body site. */
  readonly site?: string;
  /** ECG lead, only where the wiring is known. */
  readonly lead?: string;
  /** 0 raw, 1 filtered, 2 derived, 3 test signal. */
  readonly processing?: 0 | 1 | 2 | 3;
  /** Delay of the processing, us. */
  readonly delay?: number;
  /** Identifier of the calibration. */
  readonly calibration?: string;
  /** Lowest valid raw value. */
  readonly minimum?: number;
  /** Highest valid raw value. */
  readonly maximum?: number;
  /** Identity of the chip: 0 confirmed, 1 plausible (it has no id), 2 unknown. */
  readonly identity?: 0 | 1 | 2;
}

/** value = (raw + offset) x mul x 10^exp10 in `ucum`. */
export interface ChannelDefinition {
  /** 0..63, once in a birth. */
  readonly id: number;
  /** ISO/IEEE 11073-10101, 32 bits. */
  readonly mdc: number;
  /** Nominal samples a second x 1000; 0: one value per event. */
  readonly rateMilliHz: number;
  /** Significant bits, 1..32, sign included. */
  readonly bits: number;
  readonly offset: number;
  readonly mul: number;
  readonly exp10: number;
  /** UCUM. */
  readonly ucum: string;
  readonly attributes: Attributes;
}

/** EAT claims (RFC 9711 section 4). */
export interface Claims {
  /** 17 bytes: 0x01 (RAND) and 16 random bytes, for the device's life. */
  readonly ueid: Uint8Array;
  /** Equals the header's boot. */
  readonly bootcount: number;
  /** 16 bytes, new at every boot. */
  readonly bootseed: Uint8Array;
  readonly swname: string;
  /** Exactly one text. */
  readonly swversion: readonly string[];
  /** Seconds since boot. */
  readonly uptime?: number;
  /** Seconds that the outbox holds of what this configuration sends, before the first waveform has to go: a forecast. */
  readonly offline?: number;
}

export interface BirthMessage extends Header {
  readonly type: "birth";
  readonly cfg: number;
  readonly claims: Claims;
  /** 1..32, in any order, each id once. */
  readonly channels: readonly ChannelDefinition[];
  /** Last message of the boot before, where it is known. */
  readonly prev: { readonly boot: number; readonly seq: number } | null;
  /** The device's last time from a gateway: Unix ms, the tick it belongs to, its uncertainty in ms. */
  readonly hint: { readonly gatewayMs: number; readonly tick: number; readonly uncertaintyMs: number } | null;
}

export interface ManifestMessage extends Header {
  readonly type: "manifest";
  /** Boot whose messages are covered. */
  readonly ofBoot: number;
  /** Seq of the first one covered. */
  readonly first: number;
  /** 1..240 times 16 bytes: SHA-256(payload)[0..15] of seq first, first + 1, … */
  readonly hashes: Uint8Array;
}

/** tstr and bstr of at most 64 bytes. */
export type Scalar = number | null | string | Uint8Array;

export interface EventMessage extends Header {
  readonly type: "event";
  /** codes.ts, EVENT_… */
  readonly code: number;
  /** One scalar, or at most 16. */
  readonly small: Scalar | readonly Scalar[];
}

export interface PresenceMessage {
  readonly type: "presence";
  readonly boot: number;
  /** Fresh at every CONNECT, rising. */
  readonly connection: number;
  /** 0 dead (the will), 1 online, 2 clean offline. */
  readonly state: 0 | 1 | 2;
}

/** What gateway messages carry: whom they are for, and a number that rises per (boot, gateway) and is never used twice. */
export interface Downlink {
  /** kid of the device addressed, 8 bytes. */
  readonly kid: Uint8Array;
  /** The device's current boot. */
  readonly boot: number;
  readonly n: number;
}

export interface CommandMessage extends Downlink {
  readonly type: "command";
  /** Last tick of the device at which the command may be obeyed, ms. */
  readonly expires: number;
  /** 1..31 (codes.ts, OP_…). */
  readonly op: number;
  /** Keys 0 or more, each once; decoded in rising order. */
  readonly parameters: ReadonlyArray<readonly [number, number | string | Uint8Array]>;
}

export interface AckMessage extends Downlink {
  readonly type: "ack";
  /** Boot whose seqs are acknowledged. */
  readonly ofBoot: number;
  /** Lowest unsettled seq. */
  readonly next: number;
  /** 0..32 bytes; bit 7 - i of byte 0 is next + 1 + i. */
  readonly bitmap: Uint8Array;
  /** At most 16: authentic but invalid, refused for good; `reason` is the place in REASONS. */
  readonly refused: ReadonlyArray<{ readonly seq: number; readonly reason: number }>;
}

export interface TimeMessage extends Downlink {
  readonly type: "time";
  /** The tick that the device sent, ms. */
  readonly echoTick: number;
  /** Unix time of the gateway, ms. */
  readonly gatewayMs: number;
}

export type Message =
  | DataMessage
  | BirthMessage
  | ManifestMessage
  | EventMessage
  | PresenceMessage
  | CommandMessage
  | AckMessage
  | TimeMessage;
