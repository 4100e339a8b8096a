/** Virtual time: events in order of time, then of arrival. Two runs with the same events are the same run. */

interface Entry {
  readonly time: number;
  readonly order: number;
  callback: (() => void) | null;
}

export interface VirtualClock {
  /** us since the start. */
  readonly now: number;
  /** Time of the next event, us; Infinity: none. */
  readonly nextAt: number;
  /** Calls back once at `time` us (now, where that has passed); returns the cancel. */
  at(time: number, callback: () => void): () => void;
  /** Moves to the next event and runs it; false: there is none. */
  step(): boolean;
  /** Runs every event up to and at `time` us, then stands at `time`. */
  runUntil(time: number): void;
}

const before = (a: Entry, b: Entry) => a.time < b.time || (a.time === b.time && a.order < b.order);

/** A binary heap, smallest first. */
function createHeap() {
  const items: Entry[] = [];
  const swap = (i: number, j: number) => {
    const held = items[i];
    items[i] = items[j];
    items[j] = held;
  };
  return {
    peek: (): Entry | undefined => items[0],
    push(entry: Entry) {
      let i = items.push(entry) - 1;
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (!before(items[i], items[parent])) break;
        swap(i, parent);
        i = parent;
      }
    },
    pop() {
      const last = items.pop();
      if (last === undefined || items.length === 0) return;
      items[0] = last;
      for (let i = 0; ; ) {
        const left = 2 * i + 1;
        const right = left + 1;
        let first = i;
        if (left < items.length && before(items[left], items[first])) first = left;
        if (right < items.length && before(items[right], items[first])) first = right;
        if (first === i) return;
        swap(i, first);
        i = first;
      }
    },
  };
}

/** A clock that stands at 0 us until it is stepped. */
export function createVirtualClock(): VirtualClock {
  const heap = createHeap();
  let now = 0;
  let order = 0;

  const head = (): Entry | undefined => {
    for (let entry = heap.peek(); entry !== undefined; entry = heap.peek()) {
      if (entry.callback !== null) return entry;
      heap.pop();
    }
    return undefined;
  };
  const step = () => {
    const entry = head();
    if (entry === undefined) return false;
    heap.pop();
    now = entry.time;
    const callback = entry.callback!;
    entry.callback = null;
    callback();
    return true;
  };
  return {
    get now() {
      return now;
    },
    get nextAt() {
      return head()?.time ?? Number.POSITIVE_INFINITY;
    },
    at(time, callback) {
      if (Number.isNaN(time)) throw new Error("virtual clock: an event needs a time in us, got NaN");
      const entry: Entry = { time: Math.max(time, now), order: order++, callback };
      heap.push(entry);
      return () => {
        entry.callback = null;
      };
    },
    step,
    runUntil(time) {
      for (let entry = head(); entry !== undefined && entry.time <= time; entry = head()) step();
      now = Math.max(now, time);
    },
  };
}
