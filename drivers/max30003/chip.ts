/**
 * MAX30003: what can be set, and what the chip takes for it. Device side, for boards that take configurations; a board
 * with a setup needs driver.ts alone.
 */
import { createChip } from "../chip.ts";
import { type Chip, FLAG_TEST_SIGNAL, type Wiring } from "../driver.ts";
import { createDriver, type Max30003Setup } from "./driver.ts";
import * as r from "./registers.ts";
import { selfTest } from "./selftest.ts";
import { channelsOf, encode } from "./settings.ts";

export type { Calibration, Max30003Configuration, RrInterval } from "./registers.ts";

/** Checks a configuration. Throws Error. */
const setup = (c: r.Max30003Configuration, wiring: Wiring): Max30003Setup => {
  const wired = wiring.interrupt === true;
  const efit = wired ? r.EFIT_WIRED : r.EFIT_POLLED;
  const limit = wiring.maxRead ?? 1024;
  if (limit < 4) throw new Error(`${r.MODEL}: maxRead is ${limit}, a register takes 4 bytes; use another board`);
  const registers = encode(c, efit, wired);
  const channels = channelsOf(c);
  const general = registers[0][1];
  const stopped = (general & r.FMSTR) | r.GEN_RESET;
  const rate = c.sampleRate;
  const waits = c.leadOn > 0;
  // Lead bias stays off without a channel (p. 48).
  const asleep = waits ? stopped | r.EN_ULP_LON : 0;
  const wake = r.write(r.CNFG_GEN, general);
  const sleep = r.write(r.CNFG_GEN, asleep);
  const others = registers.slice(1).map((one) => r.write(one[0], one[1]));
  const dynamic = registers[5][1];
  // Fast recovery and leads go their way without a new record (p. 45, 47).
  const kept = registers.filter((one) => one[0] !== r.CNFG_GEN && one[0] !== r.MNGR_DYN);
  // What an R event before a SYNCH left would count as the first behind it.
  const synch = [r.command(r.DO_SYNCH)].concat(channels.length > 1 ? [r.command(r.READ_RTOR)] : []);
  const check = [r.command(r.READ_STATUS), r.command(r.READ_CNFG_GEN)];
  return {
    target: {
      model: r.MODEL,
      bus: "spi",
      maxHz: 12000000,
      spiMode: 0,
      dataReady: wired ? "falling" : null,
      // Under half of the FIFO, since up to EFIT - 1 words may be left. Behind an edge it is the net under a lost one.
      pollEvery: Math.ceil(16000 / rate) - 1,
    },
    channels: channels,
    capacities: channels.map((one) => (one.waveform ? r.CAPACITY : 1)),
    writes: [waits ? sleep : wake].concat(others),
    pause: waits ? r.LEADS_PAUSE : 0,
    general: general,
    asleep: asleep,
    stopped: stopped,
    dynamic: dynamic,
    patience: c.leadOn * 1000000,
    record: JSON.stringify([rate, c.leadOn, kept]),
    wake: [wake],
    // Words would hold the interrupt. STATUS must be read once before LONINT means something (p. 42).
    sleep: [sleep, r.command(r.DO_FIFO_RST), r.command(r.READ_STATUS)],
    stop: [r.write(r.CNFG_GEN, stopped)],
    recover: [r.write(r.MNGR_DYN, dynamic)],
    synch: synch,
    efit: efit,
    burst: r.readFifo(efit, limit).concat(check),
    drain: r.readFifo(r.FIFO_WORDS, limit).concat(check),
    period: 1000000 / rate,
    mark: c.calibration ? FLAG_TEST_SIGNAL : 0,
    timer: channels.length > 1 ? (rate % 128 === 0 ? 15625 / 2 : 8000) : 0,
    gain: c.gain,
    limit: limit,
  };
};

export const chip: Chip<r.Max30003Configuration> = createChip({
  chip: {
    model: r.MODEL,
    bus: "spi",
    addresses: [],
    defaults: {
      sampleRate: 256,
      gain: 20,
      highPass: false,
      lowPass: 0,
      leadOff: 10,
      leadOffThreshold: 300,
      leadOffPullUp: "positive",
      leadBias: 100,
      leadOn: 0,
      fastRecovery: "automatic",
      fastRecoveryThreshold: 63,
    },
  },
  setup: setup,
  createDriver: createDriver,
  selfTest: selfTest,
});
