/** Encodes seeded blocks with every codec and decodes them again. Device dialect. */
import { type Codec, decodeSamples, encodeBest, encodeSamples } from "../../../protocol/samples.ts";
import { hex, xorshift } from "./text.ts";

export function program(print: (line: string) => void): void {
  const random = xorshift(20250101);
  const widths = [0, 3, 8, 16, 23];
  const counts = [1, 2, 3, 64, 200];
  for (let w = 0; w < widths.length; w++) {
    for (let c = 0; c < counts.length; c++) {
      const block = new Int32Array(counts[c]);
      const top = (1 << widths[w]) - 1;
      for (let i = 0; i < block.length; i++) block[i] = (random() % (top + 1)) * (i & 1 ? -1 : 1);
      for (let codec = 0; codec < 3; codec++) {
        const bytes = encodeSamples(codec as Codec, block, 0, block.length);
        const back = decodeSamples(codec as Codec, bytes, block.length);
        let same = 0;
        for (let i = 0; i < block.length; i++) if (back[i] === block[i]) same++;
        print(`${codec} ${block.length} ${same} ${hex(bytes)}`);
      }
      print(`best ${encodeBest(block, 0, block.length).codec}`);
    }
  }
}
