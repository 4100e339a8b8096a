/** Numbers of VSP/1 with their names (PROTOCOL.md section 2). Device side. */

/** First item of each message's array. */
export const TYPE_DATA = 1;
export const TYPE_BIRTH = 2;
export const TYPE_MANIFEST = 3;
export const TYPE_EVENT = 4;
export const TYPE_PRESENCE = 5;
export const TYPE_COMMAND = 16;
export const TYPE_ACK = 17;
export const TYPE_TIME = 18;

/** [channel, flags] */
export const EVENT_CONTACT = 3;
/** [channel, seg, lost or null] */
export const EVENT_OVERFLOW = 4;
/** [gateway kid, n, status] */
export const EVENT_COMMAND_RESULT = 5;
/** [cfg] */
export const EVENT_CONFIGURATION = 6;
/** [code, channel, detail] */
export const EVENT_FAULT = 7;
/** disowned.ts: sealed but dropped, or never sent */
export const EVENT_DISOWNED = 8;
/** [id, priority 1..3, state 0..4, onset dt, value, limit, channel] */
export const EVENT_ALARM = 16;

/** Claim of a birth: see Claims.offline. A number for private use (RFC 8392 section 9.1.1). */
export const CLAIM_OFFLINE = -70003;

export const OP_START = 1;
export const OP_STOP = 2;
export const OP_SET_RATE = 3;
export const OP_SET_FILTER = 4;
export const OP_SET_LED_CURRENT = 5;
export const OP_REBOOT = 6;
export const OP_SEND_BIRTH = 7;
export const OP_TIME_PING = 8;
export const OP_FIRMWARE_ANNOUNCE = 9;
export const OP_REKEY = 10;
export const OP_SELF_TEST = 11;
export const OP_SET_ALARM_LIMITS = 12;
export const OP_ACKNOWLEDGE_ALARM = 13;
export const OP_PAUSE_ALARM = 14;
export const OP_CONSOLE = 15;

/** The sqi of a value whose quality nobody judged. */
export const SQI_UNKNOWN = 127;
/** All flags that have a meaning: bits 0 settling, 1 off the body, 2 lead off, 3 motion, 4 low perfusion, 5 saturated,
 * 6 bus fault, 7 test signal, 8 LED current changed, 9 clock uncertain, 10 uncalibrated. */
export const ALL_FLAGS = 2047;

/** The flags in words, by their bit. */
export const FLAG_WORDS = [
  "settling",
  "sensor off",
  "lead off",
  "motion",
  "low perfusion",
  "saturated",
  "bus fault",
  "test signal",
  "LED current changed",
  "clock uncertain",
  "uncalibrated",
];

/**
 * qual = sqi + 128 x flags. `sqi` 0..100, or null: unknown; `flags` 0..2047.
 * Throws Error on anything else: a quality that cannot be sent is a fault of the caller.
 */
export function makeQual(sqi: number | null, flags: number): number {
  const index = sqi === null ? SQI_UNKNOWN : sqi;
  if (sqi !== null && !(sqi >= 0 && sqi <= 100 && Math.floor(sqi) === sqi))
    throw new Error(`sqi ${sqi}: an integer 0..100, or null where it is unknown`);
  if (!(flags >= 0 && flags <= ALL_FLAGS && Math.floor(flags) === flags))
    throw new Error(`quality flags ${flags}: bits 0..10 only, so 0..${ALL_FLAGS}`);
  return index + 128 * flags;
}

/** The flags of a qual; none where nothing was judged. */
export function qualFlags(qual: number | null): number {
  return qual === null ? 0 : qual >> 7;
}

/** The sqi of a qual, 0..100; null where it is unknown. */
export function qualSqi(qual: number | null): number | null {
  if (qual === null || (qual & 127) === SQI_UNKNOWN) return null;
  return qual & 127;
}

/*
 * ISO/IEEE 11073-10101 codes, 32 bits: partition x 65536 + term; all of partition 2 (SCADA). Each was compared with a second
 * public source, named behind it. OBX = HL7 v2 observations of a bedside monitor's IHE PCD-01 profile, as published with several
 * parsers of them; PHD = HL7's Personal Health Device guide (github.com/HL7/phd); MII = the example resources of Germany's
 * Medizininformatik-Initiative core data sets (cardiology, intensive care); dk-core = HL7 Denmark's core profiles, value set of
 * basic observations.
 */
/** MDC_ECG_ELEC_POTL, 2:256, ECG of no particular lead. FHIR R4 example Observation/ekg. */
export const MDC_ECG = 131328;
/** MDC_ECG_ELEC_POTL_II, 2:258. FHIR R4 example Observation/ekg. */
export const MDC_ECG_LEAD_II = 131330;
/** MDC_PULS_OXIM_PLETH, 2:19380. Term code in two open 11073 managers (Java). */
export const MDC_PLETH = 150452;
/** MDC_TEMP_BODY, 2:19292. MII intensive care; src/dim/nomenclature.h of github.com/signove/antidote. */
export const MDC_TEMPERATURE = 150364;
/*
 * By site: dk-core, and behind each a second source. IntelliVue = the data export interface of Philips's patient monitors, whose
 * NOM_TEMP_… are the same terms, as published with several parsers of it; 10408 = term codes in three open 11073-10408
 * thermometer managers (C, C#, Java).
 */
/** MDC_TEMP, 2:19272, of no particular body or place. Not in dk-core: IntelliVue, in all its parsers. */
export const MDC_TEMP = 150344;
/** MDC_TEMP_CORE, 2:19296. IntelliVue. */
export const MDC_TEMP_CORE = 150368;
/** MDC_TEMP_SKIN, 2:19316. IntelliVue. */
export const MDC_TEMP_SKIN = 150388;
/** MDC_TEMP_TYMP, 2:19320. IntelliVue; 10408. */
export const MDC_TEMP_TYMPANUM = 150392;
/** MDC_TEMP_RECT, 2:57348. 10408. */
export const MDC_TEMP_RECTUM = 188420;
/** MDC_TEMP_ORAL, 2:57352. 10408. */
export const MDC_TEMP_ORAL = 188424;
/** MDC_TEMP_EAR, 2:57356. 10408. */
export const MDC_TEMP_EAR = 188428;
/** MDC_TEMP_FINGER, 2:57360. Not in dk-core: 10408, in all three. */
export const MDC_TEMP_FINGER = 188432;
/** MDC_TEMP_TOE, 2:57376. Not in dk-core: 10408, in all three. */
export const MDC_TEMP_TOE = 188448;
/** MDC_TEMP_AXILLA, 2:57380. 10408; MII intensive care. */
export const MDC_TEMP_AXILLA = 188452;
/** Codes of a body's temperature, the nearest to its core first. */
export const BODY_TEMPERATURES: readonly number[] = [
  MDC_TEMP_CORE,
  MDC_TEMP_RECTUM,
  MDC_TEMP_TYMPANUM,
  MDC_TEMP_ORAL,
  MDC_TEMP_AXILLA,
  MDC_TEMPERATURE,
];
/** MDC_PULS_OXIM_SAT_O2, 2:19384. FHIR R4 example Observation/satO2; OBX. */
export const MDC_SPO2 = 150456;
/** MDC_PULS_OXIM_PULS_RATE, 2:18458. OBX. */
export const MDC_PULSE_RATE = 149530;
/** MDC_ECG_HEART_RATE, 2:16770. PHD. */
export const MDC_HEART_RATE = 147842;
/**
 * MDC_BLD_PERF_INDEX, 2:19416, percent. OBX. Not MDC_PULS_OXIM_PERF_REL (150448), the relative perfusion that 11073-10404
 * oximeters report.
 */
export const MDC_PERFUSION_INDEX = 150488;
/** MDC_ECG_TIME_PD_RR_GL, 2:16168. MII cardiology. */
export const MDC_RR_INTERVAL = 147240;
/** MDC_RESP_RATE, 2:20490, by no particular method. MII intensive care; dk-core. */
export const MDC_RESPIRATION = 151562;
/** MDC_PULS_OXIM_PLETH_RESP_RATE, 2:20586, from a pleth. OBX; dk-core. */
export const MDC_RESPIRATION_PLETH = 151658;
