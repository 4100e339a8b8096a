/** The ADS1292R emulator alone on a bus: transfers at their pace, and what it converts. */
import { type Ads1292rEmulatorOptions, emulated } from "../../drivers/ads1292r/emulator.ts";

/** us of 8 bits at 900 khz, and of one tCLK and one tMOD at the nominal 512 khz. */
export const BYTE = 80 / 9;
export const T_CLK = 1e6 / 512000;
export const T_MOD = 4 * T_CLK;

/** The chip alone on a bus whose bytes last `byte` us; `power`: it has been awake for that long, us. */
export function bench(options: Ads1292rEmulatorOptions = {}, byte = BYTE, power = 50_000) {
  const chip = emulated.create(options);
  const edges: number[] = [];
  const levels: (0 | 1)[] = [];
  const codes: [string, number, number][] = [];
  let now = 0;
  chip.powerOn(0);
  chip.onInterrupt = (level, at) => {
    levels.push(level);
    if (level === 0) edges.push(at);
  };
  chip.onConvert = (name, code, at) => codes.push([name, code, at]);
  const wait = (us: number) => {
    now += us;
    chip.advance(now);
  };
  /** A transfer; `tail`: us from its last bit to CS high; null: CS stays low. */
  const transfer = (bytes: readonly number[], tail: number | null = 4 * T_CLK, gap = byte) => {
    chip.select();
    const reply = bytes.map((one, i) => {
      wait(i === 0 ? byte : gap);
      return chip.exchange(one);
    });
    if (tail !== null) {
      wait(tail);
      chip.deselect();
    }
    return reply;
  };
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const read = (register: number, count = 1) => transfer([0x20 | register, count - 1, ...zeros(count)]).slice(2);
  const write = (register: number, ...values: number[]) => transfer([0x40 | register, values.length - 1, ...values]);
  const command = (code: number) => transfer([code]);
  const data = () => transfer([0x12, ...zeros(9)]).slice(1);
  const stream = (count = 9) => transfer(zeros(count));
  wait(power);
  return {
    chip,
    edges,
    levels,
    codes,
    wait,
    transfer,
    read,
    write,
    command,
    data,
    stream,
    get now() {
      return now;
    },
  };
}
export type Bench = ReturnType<typeof bench>;

/** Registers can be reached, the reference is on. */
export function awake(options: Ads1292rEmulatorOptions = {}) {
  const b = bench(options);
  b.command(0x11);
  b.write(2, 0xa0);
  return b;
}
/** START, and until its first conversion has ended. */
export function converting(b: Bench, rate = 0) {
  b.write(1, rate);
  b.command(0x08);
  b.wait((4 * (1024 >> rate) + 5) * T_MOD);
  return b;
}
export const signed = (bytes: readonly number[], at: number) =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8)) >> 8;
export const channels = (b: Bench) => {
  const bytes = b.data();
  return [signed(bytes, 3), signed(bytes, 6)];
};
