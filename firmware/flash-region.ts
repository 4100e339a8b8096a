/** A stretch of a flash as a flash of its own, so that what shares a chip cannot reach over. Device side. */
import type { Flash } from "../boards/board.ts";

/** Pages `firstPage` to `firstPage + pages - 1`. Throws Error where they are not all of `flash`. */
export function flashRegion(flash: Flash, firstPage: number, pages: number): Flash {
  if (!(firstPage >= 0 && pages >= 1 && firstPage + pages <= flash.pages))
    throw new Error(`flash region: ${pages} pages from page ${firstPage} of a flash that has ${flash.pages}`);
  const start = firstPage * flash.pageSize;
  const size = pages * flash.pageSize;
  const place = (address: number, length: number): number => {
    if (!(address >= 0 && address + length <= size))
      throw new Error(`flash region: ${length} bytes at ${address}; it has ${size}`);
    return start + address;
  };
  return {
    pageSize: flash.pageSize,
    pages: pages,
    read: (address, length) => flash.read(place(address, length), length),
    write: (address, bytes) => flash.write(place(address, bytes.length), bytes),
    erase: (page) => {
      if (!(page >= 0 && page < pages)) throw new Error(`flash region: erase page ${page}; it has ${pages}`);
      flash.erase(firstPage + page);
    },
    sync: () => flash.sync(),
  };
}
