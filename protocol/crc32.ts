/** CRC-32/ISO-HDLC: polynomial 0x04c11db7 reflected, initial value and final XOR all ones; "123456789" gives cbf43926. */

/** Table for half a byte: sixteen words, where a board's memory would feel 256. */
const TABLE = [
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320,
  0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
];

/** CRC of all bytes, 0..2^32-1. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) {
    crc ^= bytes[i];
    crc = (crc >>> 4) ^ TABLE[crc & 15];
    crc = (crc >>> 4) ^ TABLE[crc & 15];
  }
  return ~crc >>> 0;
}
