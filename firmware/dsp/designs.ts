/**
 * Coefficients, by sampling rate; null where there is none. Written by tools/filter-design.ts: run it with --write.
 * Functions, not tables: on a board only what is asked for takes memory.
 */

/** Sampling rates that filters for display are designed for, hz. */
export const RATES: readonly number[] = [125, 128, 250, 256, 360, 500, 512];
/** Sampling rates that are brought down to the detector's, hz. */
export const DECIMATED: readonly number[] = [250, 256, 360, 500, 512];
/** What the taps of a FIR and the weights of a window are over. */
export const TAP_SCALE = 65536;
/** What the coefficients of sections and followers are over. */
export const SECTION_SCALE = 1073741824;

/** Decimator: first half and middle of its taps, in TAP_SCALE-ths. */
export function decimatorTaps(rate: number): readonly number[] | null {
  switch (rate) {
    case 250:
      return [-550, 0, 1956, 0, -5390, 0, 20333, 32838];
    case 256:
      return [-550, 0, 1956, 0, -5390, 0, 20333, 32838];
    case 360:
      return [-241, -408, 0, 941, 1347, 0, -2632, -3701, 0, 8619, 17891, 21904];
    case 500:
      return [-81, -197, -218, 0, 450, 868, 819, 0, -1407, -2594, -2413, 0, 4582, 10114, 14647, 16396];
    case 512:
      return [-81, -197, -218, 0, 450, 868, 819, 0, -1407, -2594, -2413, 0, 4582, 10114, 14647, 16396];
  }
  return null;
}

/** Low-pass, -3 dB at 40 hz: first half and middle of its taps, in TAP_SCALE-ths. */
export function lowPassTaps(rate: number): readonly number[] | null {
  switch (rate) {
    case 125:
      return [-213, 334, 364, -1896, 2393, 905, -8553, 16986, 44896];
    case 128:
      return [-192, 457, 60, -1733, 2765, 147, -8159, 17480, 43886];
    case 250:
      return [-107, -74, 166, 391, 184, -495, -948, -321, 1192, 1982, 457, -2749, -4275, -557, 8480, 18224, 22436];
    case 256:
      return [-97, -14, 227, 355, 35, -617, -869, -60, 1376, 1847, 85, -2977, -4081, -103, 8722, 17975, 21928];
    case 360:
      return [
        -55, -5, 104, 212, 224, 65, -239, -533, -593, -261, 407, 1093, 1331, 765, -571, -2126, -2966, -2169, 693, 5223,
        10230, 14136, 15606,
      ];
    case 500:
      return [
        -47, -33, 6, 67, 132, 175, 168, 93, -47, -221, -377, -451, -389, -170, 174, 562, 871, 973, 772, 249, -515,
        -1338, -1967, -2129, -1609, -308, 1709, 4207, 6817, 9107, 10673, 11228,
      ];
    case 512:
      return [
        -33, -9, 37, 94, 144, 161, 124, 25, -122, -280, -397, -417, -300, -46, 302, 654, 894, 910, 633, 67, -691, -1455,
        -1984, -2036, -1425, -82, 1914, 4330, 6821, 8986, 10460, 10978,
      ];
  }
  return null;
}

/** All-pass sections of Q 10 at 50 and 60 hz, of Q 8 at 40 hz: c1 and c2 of each, in SECTION_SCALE-ths. */
export function notchSections(rate: number): readonly number[] | null {
  switch (rate) {
    case 125:
      return [1542489080, 832879533, 1849516194, 790474270, 811799891, 832879533];
    case 128:
      return [1477762667, 837956344, 1834149913, 796341210, 731575217, 837956344];
    case 250:
      return [-624329462, 946630755, -125370916, 922911764, -1082569764, 946630755];
    case 256:
      return [-681590987, 949444628, -196030153, 926216067, -1124022168, 949444628];
    case 360:
      return [-1322628666, 983903106, -1020271652, 966801481, -1576247465, 983903106];
    case 500:
      return [-1684415865, 1008310688, -1508550245, 995689135, -1824516524, 1008310688];
    case 512:
      return [-1703471755, 1009799513, -1534655709, 997455123, -1837519411, 1009799513];
  }
  return null;
}

/** Mean of about a period of 50 hz: its taps, in TAP_SCALE-ths. */
export function mains50Taps(rate: number): readonly number[] | null {
  switch (rate) {
    case 125:
      return [9057, 23711, 23711, 9057];
    case 128:
      return [9241, 23527, 23527, 9241];
    case 250:
      return [13107, 13107, 13108, 13107, 13107];
    case 256:
      return [948, 12728, 12728, 12728, 12728, 12728, 948];
    case 360:
      return [995, 9078, 9078, 9078, 9078, 9078, 9078, 9078, 995];
    case 500:
      return [6554, 6554, 6554, 6554, 6552, 6552, 6554, 6554, 6554, 6554];
    case 512:
      return [798, 6394, 6394, 6394, 6394, 6394, 6394, 6394, 6394, 6394, 6394, 798];
  }
  return null;
}

/** Mean of about a period of 60 hz: its taps, in TAP_SCALE-ths. */
export function mains60Taps(rate: number): readonly number[] | null {
  switch (rate) {
    case 125:
      return [8224, 24544, 24544, 8224];
    case 128:
      return [8271, 24497, 24497, 8271];
    case 250:
      return [1754, 15507, 15507, 15507, 15507, 1754];
    case 256:
      return [2558, 15105, 15105, 15105, 15105, 2558];
    case 360:
      return [10923, 10923, 10922, 10922, 10923, 10923];
    case 500:
      return [1380, 7847, 7847, 7847, 7847, 7847, 7847, 7847, 7847, 1380];
    case 512:
      return [2108, 7665, 7665, 7665, 7665, 7665, 7665, 7665, 7665, 2108];
  }
  return null;
}

/** Follower of 0.05 hz: its share of the difference, in SECTION_SCALE-ths. */
export function followerShare(rate: number): readonly number[] | null {
  switch (rate) {
    case 125:
      return [2695219];
    case 128:
      return [2632127];
    case 250:
      return [1348456];
    case 256:
      return [1316871];
    case 360:
      return [936608];
    case 500:
      return [674440];
    case 512:
      return [658638];
  }
  return null;
}
