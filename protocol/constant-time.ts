/** Comparing what an attacker must not find out byte by byte. Device side. */

/**
 * Whether the bytes are the same. All of them are looked at, and no branch depends on what they are, so that the time of a
 * refusal does not tell how many of a forged tag's bytes were right. As far as JavaScript can: engine and garbage collector
 * promise nothing. The length is no secret: another one is false at once.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}
