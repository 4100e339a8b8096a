/** What runs in the interpreter is in the device dialect also where there is no interpreter to run it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deviceScript } from "../../tools/espruino.ts";
import { projectRoot } from "../../tools/files.ts";

const folder = join(projectRoot, "test/espruino/programs");
const programs = readdirSync(folder).filter((name) =>
  readFileSync(join(folder, name), "utf8").includes("function program("),
);

test("there are programs for the interpreter", () => {
  expect(programs).toContain("runtime.ts");
});

test.each(programs)("the bundle of %s is in the device dialect", (name) => {
  const source = `import { program } from "./programs/${name}"; program(say, DATA);`;
  expect(deviceScript(name, "test/espruino", source)).toContain("say");
});
