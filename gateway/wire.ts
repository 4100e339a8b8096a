/** Two ends of a cable in one process. */
import { Duplex } from "node:stream";

class End extends Duplex {
  other!: End;
  private waiting: (() => void) | null = null;

  override _read(): void {
    const { waiting } = this;
    this.waiting = null;
    waiting?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const { other } = this;
    if (other.readableEnded || other.destroyed) done();
    else if (other.push(chunk)) queueMicrotask(done);
    else other.waiting = done;
  }

  override _final(done: () => void): void {
    this.other.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // As with a socket: the other end hears that nobody is there any more.
    if (!this.other.destroyed) this.other.destroy();
    done(error);
  }
}

export function createWire(): [Duplex, Duplex] {
  const ends: [End, End] = [new End(), new End()];
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}
