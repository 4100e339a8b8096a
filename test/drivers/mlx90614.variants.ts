/** Configurations of the MLX90614 in which the conformance tests run once more. */
import type { Mlx90614Configuration } from "../../drivers/mlx90614/chip.ts";

export const variants: Record<string, Partial<Mlx90614Configuration>> = {
  "two zones": { zones: 2 },
  "6 hz, flags": { sampleRate: 6, flags: true },
};
