/**
 * BGZF: gzip in blocks that say how long they are, so that a file can be written and read a block at a time, and `gunzip`
 * reads it too. SAM/BAM format specification (samtools.github.io/hts-specs/SAMv1.pdf), section 4.1.
 */
import { gunzipSync, gzipSync } from "node:zlib";

/** Bytes in a block at most, before compression: what does not compress fits into 64 KiB all the same. */
export const BGZF_BLOCK = 0xff00;
/** The fixed part of a member's header (RFC 1952 section 2.3), the length of its extra field, that field. */
const FIXED = 10;
const EXTRA = 6;
const HEADER = FIXED + 2 + EXTRA;
const FLAG_EXTRA = 4;

/** One block. Throws RangeError for more than BGZF_BLOCK bytes. */
export function bgzfBlock(bytes: Uint8Array): Uint8Array {
  if (bytes.length > BGZF_BLOCK)
    throw new RangeError(`bgzf: ${bytes.length} bytes in a block, the most is ${BGZF_BLOCK}`);
  const member = gzipSync(bytes);
  const block = Buffer.alloc(member.length + HEADER - FIXED);
  member.copy(block, 0, 0, FIXED);
  block[3] = FLAG_EXTRA;
  block.writeUInt16LE(EXTRA, FIXED);
  block.write("BC", FIXED + 2, "latin1");
  block.writeUInt16LE(2, FIXED + 4);
  block.writeUInt16LE(block.length - 1, FIXED + 6);
  member.copy(block, HEADER, FIXED);
  return block;
}

/** The block that ends a file. */
export const bgzfEnd = (): Uint8Array => bgzfBlock(new Uint8Array(0));

/**
 * What is in a file, block by block; an end that was cut off is left out. `read(at, length)`: bytes of the file, fewer at its
 * end. Throws Error with the place for a block that is damaged, or none.
 */
export function* bgzfBytes(read: (at: number, length: number) => Uint8Array): Generator<Uint8Array> {
  for (let at = 0; ; ) {
    const head = Buffer.from(read(at, HEADER));
    if (head.length < HEADER) return;
    const isBlock =
      head.readUInt16BE(0) === 0x1f8b &&
      head[3] === FLAG_EXTRA &&
      head.readUInt16LE(FIXED) === EXTRA &&
      head.toString("latin1", FIXED + 2, FIXED + 4) === "BC";
    if (!isBlock) throw new Error(`byte ${at}: no BGZF block begins there`);
    const length = head.readUInt16LE(FIXED + 6) + 1;
    const block = read(at, length);
    if (block.length < length) return;
    try {
      yield gunzipSync(block, { maxOutputLength: 0x10000 });
    } catch (error) {
      throw new Error(`byte ${at}: a damaged block (${(error as Error).message})`);
    }
    at += length;
  }
}
