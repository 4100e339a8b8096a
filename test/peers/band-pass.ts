/** A Butterworth band-pass of third order, by the bilinear transform, in three sections of second order. */

export interface BandPass {
  push(value: number): number;
  /** Of a wave in mid-band (the geometric mean of the corners), samples. */
  readonly delay: number;
}

/** As if the first value had always been there. Corners (-3 dB) and rate in hz. */
export function createBandPass(low: number, high: number, rate: number): BandPass {
  // corners of the analogue filter that the transform s = (1 - 1/z) / (1 + 1/z) puts where they are asked for
  const from = Math.tan((Math.PI * low) / rate);
  const to = Math.tan((Math.PI * high) / rate);
  const width = to - from;
  const middle = from * to;
  // low-pass poles at -1 and (-1 +- i sqrt 3) / 2; each p becomes the roots of s^2 - p width s + middle
  const sections = [{ damping: width, square: middle }];
  const re = -width / 2;
  const im = (width * Math.sqrt(3)) / 2;
  // roots of s^2 - (re + i im) s + middle: half of that, plus and minus the root of (half of that)^2 - middle
  const realPart = (re * re - im * im) / 4 - middle;
  const imaginaryPart = (re * im) / 2;
  const size = Math.sqrt(realPart * realPart + imaginaryPart * imaginaryPart);
  const rootRe = Math.sqrt((size + realPart) / 2);
  const rootIm = Math.sign(imaginaryPart) * Math.sqrt((size - realPart) / 2);
  for (const sign of [1, -1]) {
    const poleRe = re / 2 + sign * rootRe;
    const poleIm = im / 2 + sign * rootIm;
    sections.push({ damping: -2 * poleRe, square: poleRe * poleRe + poleIm * poleIm });
  }
  const parts = sections.map(({ damping, square }) => {
    const scale = 1 + damping + square;
    return { gain: width / scale, a1: (2 * (square - 1)) / scale, a2: (1 - damping + square) / scale };
  });
  const x1 = new Float64Array(3);
  const x2 = new Float64Array(3);
  const y1 = new Float64Array(3);
  const y2 = new Float64Array(3);
  let begun = false;

  /** Phase at w radians a sample. */
  const phase = (w: number) =>
    parts.reduce((sum, { a1, a2 }) => {
      const above = Math.atan2(Math.sin(2 * w), 1 - Math.cos(2 * w));
      const below = Math.atan2(-a1 * Math.sin(w) - a2 * Math.sin(2 * w), 1 + a1 * Math.cos(w) + a2 * Math.cos(2 * w));
      return sum + above - below;
    }, 0);
  const w = (2 * Math.PI * Math.sqrt(low * high)) / rate;
  const delay = (phase(w - 1e-4) - phase(w + 1e-4)) / 2e-4;

  return {
    delay,
    push(value) {
      let x = value;
      if (!begun) x1[0] = x2[0] = value;
      begun = true;
      parts.forEach(({ gain, a1, a2 }, k) => {
        const y = gain * (x - x2[k]!) - a1 * y1[k]! - a2 * y2[k]!;
        x2[k] = x1[k]!;
        x1[k] = x;
        y2[k] = y1[k]!;
        y1[k] = y;
        x = y;
      });
      return x;
    },
  };
}
