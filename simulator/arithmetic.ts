/**
 * exp, log and sine from + - * / alone. ECMAScript leaves the last bit of Math.exp, Math.log and Math.sin to the engine;
 * the four operations and Math.sqrt, floor and round are exact, so a simulation is the same, bit for bit, everywhere.
 */

/** 2^k at index k + 1022, for the normal numbers. Halving and doubling are exact; `**` need not be. */
const powersOfTwo = (() => {
  const powers = new Float64Array(2046);
  powers[1022] = 1;
  for (let k = 1023; k < 2046; k++) powers[k] = powers[k - 1]! * 2;
  for (let k = 1021; k >= 0; k--) powers[k] = powers[k + 1]! / 2;
  return powers;
})();

// ln 2 in two parts, the first with 21 trailing zero bits, so that k * LN2_HIGH is exact (Cody and Waite 1980, chapter 6).
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const LN2 = Math.LN2;
const LOG2_E = Math.LOG2E;

/** e to the x, relative error below 1e-15. 0 for x below -708; Infinity above 709. */
export function exp(x: number): number {
  if (x < -708) return 0;
  if (x > 709) return Number.POSITIVE_INFINITY;
  const k = Math.floor(x * LOG2_E + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW; // |r| <= ln 2 / 2: Taylor's remainder after r^12 is 2e-16
  // biome-ignore format: Horner's scheme, one coefficient after the other
  const sum = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320 +
    r * (1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600))))))))))));
  return sum * powersOfTwo[k + 1022]!;
}

/** exp(-u^2 / 2), the Gaussian of all waves here. 0 beyond 6 standard deviations (there it is below 2e-8). */
export function gaussian(u: number): number {
  return u > 6 || u < -6 ? 0 : exp((-u * u) / 2);
}

/** Natural logarithm of 0 < x <= 1, absolute error below 1e-15 near 1. Meant for uniform numbers: it takes one step an octave. */
export function log(x: number): number {
  if (!(x > 0 && x <= 1)) throw new RangeError(`log expects 0 < x <= 1, got ${x}`);
  let m = x;
  let octaves = 0;
  while (m < 0.7) {
    m *= 2;
    octaves++;
  }
  // ln m = 2 artanh s; |s| <= 0.18, so the term s^23 / 23 is below 1e-18
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 1 / 21;
  for (let n = 19; n > 0; n -= 2) sum = 1 / n + sum * square;
  return 2 * s * sum - octaves * LN2;
}

/** sin(2 pi x), x in turns, absolute error below 1e-15. Turns, not radians: their reduction is exact. */
export function sine(turns: number): number {
  let x = turns - Math.floor(turns + 0.5); // [-1/2, 1/2]
  if (x > 0.25) x = 0.5 - x;
  else if (x < -0.25) x = -0.5 - x;
  const y = 2 * Math.PI * x; // [-pi/2, pi/2]: Taylor's remainder after y^19 is 3e-16
  const s = -y * y;
  // biome-ignore format: Horner's scheme, one coefficient after the other
  return y * (1 + s * (1 / 6 + s * (1 / 120 + s * (1 / 5040 + s * (1 / 362880 + s * (1 / 39916800 + s * (1 / 6227020800 +
    s * (1 / 1307674368000 + s * (1 / 355687428096000 + s * (1 / 121645100408832000))))))))));
}
