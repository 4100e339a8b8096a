import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/setup.ts"],
    reporters: ["default", "./test/support/reporter.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
