import { expect, test } from "vitest";
import { createRefusalLog } from "../../cli/gateway/refusal-log.ts";

test("a sentence is told once, then counted; after the summary it is told anew", () => {
  const said: string[] = [];
  const log = createRefusalLog((line) => said.push(line));
  for (let i = 0; i < 3; i++) log.add("a: refused");
  log.add("b: refused");
  expect(said).toEqual(["a: refused", "b: refused"]);
  log.summarize();
  expect(said.splice(0)).toEqual(["a: refused", "b: refused", "a: refused (2 times more)"]);
  log.summarize();
  log.add("a: refused");
  expect(said).toEqual(["a: refused"]);
});

test("who makes a thousand different refusals fills no log", () => {
  const said: string[] = [];
  const log = createRefusalLog((line) => said.push(line));
  for (let i = 0; i < 1000; i++) log.add(`${i}: refused`);
  log.summarize();
  expect(said).toHaveLength(51);
  expect(said.at(-1)).toBe("950 other refusals");
});
