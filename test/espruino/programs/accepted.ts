/** Runs everything that the dialect's accepted fixture holds. Device dialect. */
import * as all from "../../fixtures/device-dialect/accepted.ts";
import { bits } from "./text.ts";

export function program(print: (line: string) => void): void {
  const derived = new all.Derived();
  derived.double = 10;
  derived.list.push(4, 5);
  const other = new all.Base(1);
  print(
    `${derived.more()} ${derived.double} ${other.list.length} ${other.more()} ${all.Base.made} ${derived instanceof all.Base}`,
  );
  print(all.machine({ nested: { name: "ward" } })());
  print(all.machine({ rate: 5 })());
  print(bits(all.sums([1, 2, 3], new Uint8Array([200, 100, 50, 25]))));
  print(
    `${all.choose("b", { of: 7 })} ${all.choose("c", { of: 7 })} ${all.choose("xyz", { of: 7 })} ${all.choose("7", { of: 7 })}`,
  );
  print(`${all.table.method()} ${all.table.size} ${all.table["with-dash"]} ${all.table[5]} ${all.table.delete}`);
  print(`${all.guarded(() => 12)}`);
  try {
    all.guarded(() => {
      throw new Error("inner");
    });
  } catch (error) {
    print(`${(error as Error).message} ${(error as { reason?: string }).reason}`);
  }
  print(JSON.stringify(all.bits));
  print(`${all.immediately} ${all.made.length} ${all.made.byteOffset} ${bits(all.helper(3))}`);
}
