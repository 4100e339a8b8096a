/** Property tests draw the same cases in every run; FC_SEED tries others. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20_261), numRuns: Number(process.env.FC_RUNS ?? 100) });
