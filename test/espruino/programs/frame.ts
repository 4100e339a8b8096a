/** Frames messages as lines and takes them apart, whole and damaged. Device dialect. */
import { crc32 } from "../../../protocol/crc32.ts";
import { decodeLine, encodeLine } from "../../../protocol/frame.ts";
import { hex, xorshift } from "./text.ts";

export function program(print: (line: string) => void): void {
  const random = xorshift(7);
  for (let n = 1; n < 80; n += 7) {
    const message = new Uint8Array(n);
    for (let i = 0; i < n; i++) message[i] = random() & 255;
    const line = encodeLine(message);
    const tries = [
      line,
      `log${line}`,
      `${line}\r\n`,
      line.substring(1),
      line.substring(0, line.length - 1),
      line.toLowerCase(),
    ];
    print(`${crc32(message)} ${line}`);
    for (let i = 0; i < tries.length; i++) {
      try {
        const back = decodeLine(tries[i]);
        print(back === null ? "log" : hex(back));
      } catch (error) {
        print((error as Error).message);
      }
    }
  }
}
