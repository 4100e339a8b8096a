/** What encoder and decoder of samples have in common. */

/** 0 raw24be, 1 delta, 2 rice. */
export type Codec = 0 | 1 | 2;

/** Samples in a block. */
export const MAX_SAMPLES = 1024;
/** Samples lie strictly between -SAMPLE_LIMIT and SAMPLE_LIMIT. */
export const SAMPLE_LIMIT = 8388608;
/** Largest rice parameter. */
export const MAX_K = 20;
