/** Attacks on the sample codecs: the CBOR around them stays strict, so that they arrive at step 8. */
import { mutateBytes, randomBytes, spliced } from "./fuzz-bytes.ts";
import { head, type Item, itemsOf } from "./fuzz-cbor.ts";
import type { Dice } from "./fuzz-random.ts";

const put = (bytes: Uint8Array, item: Item, by: Uint8Array) => spliced(bytes, item.at, item.end - item.at, by);
const bstr = (content: Uint8Array) => new Uint8Array(Buffer.concat([head(2, content.length), content]));

/** A block's bytes changed: rice's first byte, long runs of zeros and ones (escapes, needless ones), padding, varints, length. */
function attack(dice: Dice, block: Uint8Array): Uint8Array {
  const out = block.slice();
  switch (dice.below(9)) {
    case 0:
      if (out.length > 0) out[0] = dice.below(256);
      return out;
    case 1:
      return out.fill(dice.pick([0, 255, 0x80, 0x7f]), dice.below(out.length + 1));
    case 2:
      return spliced(out, dice.below(out.length + 1), dice.below(4), new Uint8Array(dice.below(8)));
    case 3:
      return spliced(out, dice.below(out.length + 1), 0, new Uint8Array(1 + dice.below(5)).fill(0x80));
    case 4:
      if (out.length > 0) out[out.length - 1] = out[out.length - 1]! ^ (1 << dice.below(4));
      return out;
    case 5:
      return new Uint8Array(Buffer.concat([out, new Uint8Array(1 + dice.below(3))]));
    case 6:
      return randomBytes(dice, 1 + dice.below(40));
    case 7:
      return out.slice(0, dice.below(out.length));
    default:
      return mutateBytes(dice, out, block);
  }
}

const escapes = [
  0,
  1,
  15,
  16,
  17,
  2 ** 20,
  2 ** 24 - 2,
  2 ** 24 - 1,
  2 ** 24,
  2 ** 26 - 8,
  2 ** 26 - 7,
  2 ** 31,
  2 ** 32 - 1,
];

/** Rice, one sample, escaped: needed or not, in range or not. */
function escaped(dice: Dice): Uint8Array {
  const k0 = dice.below(21);
  const u = dice.below(2) === 0 ? dice.pick(escapes) : dice.pick([15, 16]) * 2 ** k0 + dice.below(2 ** k0);
  const block = Buffer.alloc(7);
  block[0] = k0;
  block.writeUInt32BE(u % 2 ** 32, 3);
  return new Uint8Array(block);
}

/** A data payload with one wave block attacked; what is no data payload comes back as it was. */
export function mutateCodec(dice: Dice, payload: Uint8Array): Uint8Array {
  const items = itemsOf(payload);
  const places = items.flatMap((item, i) => (item.major === 2 && item.depth === 3 && i > 6 ? [i] : []));
  if (payload[1] !== 1 || places.length === 0) return payload;
  const place = dice.pick(places);
  const block = items[place]!;
  const n = items[place - 1]!;
  const codec = items[place - 2]!;
  // From behind to the front, so that places stay right.
  let out = payload;
  const what = dice.below(9);
  if (what === 8) {
    const parts = [
      payload.subarray(0, codec.at),
      Uint8Array.of(2, 1),
      bstr(escaped(dice)),
      payload.subarray(block.end),
    ];
    return new Uint8Array(Buffer.concat(parts));
  }
  if (what < 6) out = put(out, block, bstr(attack(dice, payload.subarray(block.body, block.end))));
  if (what === 6 || what === 0) {
    const count = dice.pick([1, 2, 3, 16, 1023, 1024, n.argument + 1, Math.max(1, n.argument - 1)]);
    out = put(out, n, head(0, Math.min(1024, count)));
  }
  if (what === 7 || what === 1) out = put(out, codec, head(0, dice.below(3)));
  return out;
}
