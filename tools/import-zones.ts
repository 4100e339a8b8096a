/** Who may import whom: DESIGN.md's "The house" as a table. import-rules.ts holds the project to it. */

export interface Zone {
  /** Also the name of the rule about files; packages and node modules are the rules `NAME-package`, `NAME-node`. */
  readonly name: string;
  /** Which files it holds. The first zone that matches a file has it. */
  readonly at: readonly string[];
  /** Which files they may import. `$folder` is the importing file's own folder. */
  readonly files: readonly string[];
  /** Which packages they may import; `require` of what Espruino has built in counts as one. */
  readonly packages: readonly string[];
  readonly node: boolean;
}

const anyPackage = ["**"];
const contracts = ["drivers/driver.ts", "boards/board.ts"];
const runtime = ["firmware/**", "protocol/**", ...contracts];
const native = ["Flash", "Storage", "Wifi", "crypto", "http", "net", "neopixel", "tls"];

/** The table. The device side is held to `device-package`, `device-node` and `device-host` besides. */
export const zones: readonly Zone[] = [
  {
    name: "contract",
    at: ["drivers/driver.ts", "drivers/emulator.ts", "boards/board.ts"],
    files: ["drivers/driver.ts"],
    packages: [],
    node: false,
  },
  {
    name: "emulator",
    at: ["drivers/*/emulator*.ts", "drivers/*/analog.ts"],
    files: [
      "drivers/driver.ts",
      "drivers/emulator.ts",
      "drivers/*/**",
      "!drivers/*/chip.ts",
      "!drivers/*/driver.ts",
      "!drivers/*/selftest.ts",
    ],
    packages: [],
    node: false,
  },
  {
    name: "driver",
    at: ["drivers/*/**"],
    files: ["drivers/**"],
    packages: [],
    node: false,
  },
  { name: "drivers", at: ["drivers/*"], files: ["drivers/**"], packages: [], node: false },
  {
    name: "protocol",
    at: ["protocol/**"],
    files: ["protocol/**"],
    packages: ["tweetnacl", "@serialport/parser-readline"],
    node: true,
  },
  { name: "formats", at: ["formats/**"], files: ["formats/**"], packages: [], node: true },
  {
    name: "firmware-main",
    at: ["firmware/main.*.ts"],
    files: [...runtime, "drivers/**", "boards/**"],
    packages: anyPackage,
    node: true,
  },
  { name: "firmware", at: ["firmware/**"], files: runtime, packages: anyPackage, node: true },
  {
    name: "espruino",
    at: ["boards/espruino/**"],
    files: [...contracts, "boards/espruino/**"],
    packages: native,
    node: false,
  },
  {
    name: "firmata",
    at: ["boards/firmata*.ts", "boards/firmata/**"],
    files: ["drivers/driver.ts", "drivers/emulator.ts", "boards/**"],
    packages: ["firmata-io", "johnny-five", "serialport", "@serialport/*"],
    node: true,
  },
  {
    name: "boards",
    at: ["boards/**"],
    files: ["drivers/driver.ts", "drivers/emulator.ts", "boards/**"],
    packages: [],
    node: true,
  },
  {
    name: "simulator",
    at: ["simulator/**"],
    files: ["simulator/**", "drivers/**", "boards/**", "formats/**", "firmware/**", "protocol/**"],
    packages: anyPackage,
    node: true,
  },
  {
    name: "dashboard",
    at: ["gateway/dashboard/**"],
    files: ["gateway/dashboard/**", "protocol/**", "!protocol/**/*.node.ts"],
    packages: ["tweetnacl", "@noble/hashes/**", "@noble/hashes"],
    node: false,
  },
  {
    name: "gateway",
    at: ["gateway/**"],
    files: ["gateway/**", "protocol/**", "formats/**", "firmware/dsp/**"],
    packages: anyPackage,
    node: true,
  },
  { name: "cli", at: ["cli/**"], files: ["**"], packages: anyPackage, node: true },
  {
    name: "tools",
    at: ["tools/**"],
    // What measures drivers runs them on a simulated board; accuracy, detectors over recordings; cost, all on a patient;
    // the fuzzer attacks the gateway by its serial source.
    files: [
      "tools/**",
      "gateway/**",
      "protocol/**",
      "drivers/**",
      "boards/**",
      "simulator/**",
      "formats/**",
      "firmware/**",
      "test/peers/**",
    ],
    packages: anyPackage,
    node: true,
  },
  {
    // Other people's detectors to be compared with: published with the command that runs them.
    name: "peers",
    at: ["test/peers/**", "!test/peers/*.test.ts"],
    files: ["test/peers/**", "simulator/evaluate/**", "firmware/dsp/**"],
    packages: [],
    node: false,
  },
  { name: "test", at: ["test/**"], files: ["**"], packages: anyPackage, node: true },
  { name: "root", at: ["*"], files: ["*"], packages: anyPackage, node: true },
];

/** Folders that hardly anybody may import, and who may. */
export const reserved = [
  { rule: "cli-imported", at: ["cli/**"], by: ["cli/**", "test/**"] },
  // `vitalwire bench dsp` starts dsp-cost.ts as a program, in a checkout. An import would put it into the package, which is refused.
  { rule: "tools-imported", at: ["tools/**", "!tools/dsp-cost.ts"], by: ["tools/**", "test/**"] },
  { rule: "peers-imported", at: ["test/peers/**"], by: ["cli/**", "test/**", "tools/**"] },
  { rule: "test-imported", at: ["test/**", "!test/peers/**"], by: ["test/**"] },
];

/** Who may use what only the development set has. */
export const unpublished = ["test/**", "tools/**", "*"];
