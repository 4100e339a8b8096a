/** WFDB annotation files (.atr and others) in the MIT format. Source: WFDB Applications Guide, annot(5). Pure. */

/** One annotation. */
export interface Annotation {
  /** Sample number at the annotation file's rate (`annotationRate`, else the record's). */
  readonly sample: number;
  /** WFDB mnemonic: "N", "V", "+", ... ; "[15]", "[42]" for codes without one; " " for code 0. */
  readonly symbol: string;
  /** -128 to 127. */
  readonly subtype: number;
  /** 0 to 255. */
  readonly channel: number;
  /** -128 to 127. */
  readonly number: number;
  /** At most 255 bytes, one character each (ISO 8859-1), as stored; rhythm labels may end with "\0". */
  readonly aux: string;
}

/** What the writer needs of an annotation. Any Annotation will do. */
export type AnnotationInput = Pick<Annotation, "sample" | "symbol"> & Partial<Annotation>;

// One character for each of the codes 0 to 41 in order (ecgcodes.h), NUL where the table has none.
const MNEMONICS = ' NLRaVFJASEj/Q~\0|\0sT*D"=pB^t+u?![]en@xf()r';
const LAST_CODE = 49; // ACMAX
const SKIP = 59;
const NUM = 60;
const SUB = 61;
const CHN = 62;
const AUX = 63;

/** Mnemonic of a code 0 to 49. Throws Error otherwise. */
export function symbolOf(code: number): string {
  if (!(Number.isInteger(code) && code >= 0 && code <= LAST_CODE)) {
    throw new Error(`annotation code ${code} is not one of 0 to ${LAST_CODE}`);
  }
  const symbol = MNEMONICS[code] ?? "\0";
  return symbol === "\0" ? `[${code}]` : symbol;
}

const CODES = new Map(Array.from({ length: LAST_CODE + 1 }, (_, code) => [symbolOf(code), code]));

/** Code of a mnemonic. Throws Error for a symbol that WFDB does not have. */
export function codeOf(symbol: string): number {
  const code = CODES.get(symbol);
  if (code === undefined) throw new Error(`"${symbol.slice(0, 20)}" is not a WFDB annotation symbol`);
  return code;
}

const BEATS = new Set("NLRBAaJSVrFejnE/fQ?");

/** true: the symbol labels a heart beat (ventricular flutter waves "!" are none). */
export function isBeat(symbol: string): boolean {
  return BEATS.has(symbol);
}

const signedByte = (bits: number) => (bits << 24) >> 24;

/**
 * Reads an annotation file. `source` names it in errors. The order is the file's.
 * Throws Error (byte, value) where it is truncated, lacks its end mark, or holds an undefined code.
 */
export function readAnnotations(bytes: Uint8Array, source = "annotation file"): Annotation[] {
  const found: Annotation[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let time = 0;
  let current: { sample: number; symbol: string; subtype: number; aux: string } | null = null;
  let channel = 0;
  let number = 0;
  const need = (count: number, what: string) => {
    if (at + count <= bytes.length) return;
    throw new Error(`${source}: ends at byte ${bytes.length} inside ${what} (from byte ${at}); it is truncated`);
  };
  const close = () => {
    if (current !== null) found.push({ ...current, channel, number });
    current = null;
  };
  for (;;) {
    need(2, "an annotation, without an end mark");
    const word = view.getUint16(at, true);
    const code = word >> 10;
    const value = word & 0x3ff;
    at += 2;
    if (word === 0) break;
    if (code === SKIP) {
      need(4, "a SKIP");
      time += (view.getUint16(at, true) << 16) | view.getUint16(at + 2, true); // high half first
      at += 4;
    } else if (code <= LAST_CODE) {
      close();
      time += value;
      current = { sample: time, symbol: symbolOf(code), subtype: 0, aux: "" };
    } else if (code < SKIP) {
      throw new Error(`${source}: byte ${at - 2} has the undefined annotation code ${code}`);
    } else if (current === null) {
      throw new Error(`${source}: byte ${at - 2} has a field (code ${code}) before the first annotation`);
    } else if (code === NUM) number = signedByte(value);
    else if (code === SUB) current.subtype = signedByte(value);
    else if (code === CHN) channel = value & 0xff;
    else {
      if (value > 255)
        throw new Error(`${source}: byte ${at - 2} announces ${value} bytes of aux text, 255 is the most`);
      need(value + (value % 2), `an aux text of ${value} bytes`);
      current.aux = String.fromCharCode(...bytes.subarray(at, at + value));
      at += value + (value % 2);
    }
  }
  close();
  return found;
}

function checked(value: number, low: number, high: number, field: string, at: number): number {
  if (!(Number.isInteger(value) && value >= low && value <= high)) {
    throw new Error(`annotation ${at}: ${field} ${value} is not an integer from ${low} to ${high}`);
  }
  return value;
}

const STEP = 0x7fffffff; // a SKIP holds a signed 32-bit interval

/**
 * The bytes of an annotation file, in the order given (WFDB readers expect it sorted by sample, then channel).
 * Throws Error (which annotation, field, value) for what the format cannot hold.
 */
export function writeAnnotations(annotations: readonly AnnotationInput[]): Uint8Array {
  const bytes: number[] = [];
  const put = (code: number, value: number) => bytes.push(value & 0xff, (code << 2) | ((value >> 8) & 3));
  const skip = (interval: number) => {
    put(SKIP, 0);
    bytes.push((interval >> 16) & 0xff, (interval >> 24) & 0xff, interval & 0xff, (interval >> 8) & 0xff);
  };
  let time = 0;
  let lastChannel = 0;
  let lastNumber = 0;
  for (const [at, { sample, symbol, subtype = 0, channel = 0, number = 0, aux = "" }] of annotations.entries()) {
    const code = codeOf(symbol);
    // 2^40 samples are millennia; the bound keeps the number of SKIPs small.
    let interval = checked(sample, -(2 ** 40), 2 ** 40, "sample", at) - time;
    time = sample;
    for (; Math.abs(interval) > STEP; interval -= Math.sign(interval) * STEP) skip(Math.sign(interval) * STEP);
    if (code === 0) {
      skip(interval - 1); // a word of zero would be the end mark
      interval = 1;
    } else if (interval < 0 || interval > 0x3ff) {
      skip(interval);
      interval = 0;
    }
    put(code, interval);
    if (subtype !== 0) put(SUB, checked(subtype, -128, 127, "subtype", at));
    if (channel !== lastChannel) put(CHN, checked(channel, 0, 255, "channel", at));
    if (number !== lastNumber) put(NUM, checked(number, -128, 127, "number", at));
    lastChannel = channel;
    lastNumber = number;
    if (aux === "") continue;
    put(AUX, checked(aux.length, 0, 255, "length of aux", at));
    for (let i = 0; i < aux.length; i++) bytes.push(checked(aux.charCodeAt(i), 0, 255, "character of aux", at));
    if (aux.length % 2 === 1) bytes.push(0);
  }
  bytes.push(0, 0);
  return Uint8Array.from(bytes);
}

/** Sampling rate that a file states for itself in a note at sample 0 ("## time resolution: 360"), hz; null: it states none. */
export function annotationRate(annotations: readonly Annotation[]): number | null {
  for (const { sample, symbol, aux } of annotations) {
    if (sample !== 0 || symbol !== '"') break;
    const rate = Number(/^## time resolution: *([0-9.eE+-]+)/.exec(aux)?.[1] ?? Number.NaN);
    if (rate > 0 && Number.isFinite(rate)) return rate;
  }
  return null;
}
