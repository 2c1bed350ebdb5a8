// What the server says: asked for as soon as the last answer has been dealt with, so that a slow
// connection makes this page see fewer images, and never older ones.

const WITHIN_MS = 1100; // an answer that takes longer is none: the server answers every 250 ms
const KEPT_CLOCKS = 30;
const WITHOUT_IMAGES_MS = 1000;
const LEAST_BYTES = 20_000;
const MOST_BYTES = 4 << 20;

/** Where the server's monotonic clock stands, and how wrong that may be (as NTP asks it). */
export class ServerClock {
  #samples = [];
  #lapse = null;

  /** One question: sent and answered by our clock, received and answered by the server's. */
  learn(askedMs, gotMs, receivedMs, sentMs) {
    const offset = (receivedMs - askedMs + (sentMs - gotMs)) / 2;
    const error = Math.max(0, (gotMs - askedMs - (sentMs - receivedMs)) / 2);
    this.#samples.push({ offset, error });
    if (this.#samples.length > KEPT_CLOCKS) this.#samples.shift();
  }

  /** Our clock stands still while the machine sleeps; what was learned before is wrong then. */
  forgetIfSlept() {
    const lapse = Date.now() - performance.now();
    if (this.#lapse !== null && Math.abs(lapse - this.#lapse) > 500) this.#samples = [];
    this.#lapse = lapse;
  }

  get best() {
    if (this.#samples.length === 0) return null;
    return this.#samples.reduce((a, b) => (b.error < a.error ? b : a));
  }

  /** Milliseconds from then (server's clock) to now; at most, with the error of the clock. */
  ageMs(thenMs) {
    const best = this.best;
    return best && performance.now() + best.offset - thenMs + best.error;
  }
}

/** How many bytes of images arrive in half a second; none for a while after an answer in vain. */
class Budget {
  bytes = 200_000;
  #againMs = 0;

  took(bytes, ms) {
    if (performance.now() < this.#againMs) return;
    if (bytes > 30_000 && ms > 20) this.bytes = (bytes / ms) * 500;
    else this.bytes = Math.max(this.bytes, LEAST_BYTES) * 1.5;
    this.bytes = Math.min(MOST_BYTES, Math.round(this.bytes));
  }

  failed() {
    this.bytes = 0;
    this.#againMs = performance.now() + WITHOUT_IMAGES_MS;
  }
}

export class News {
  clock = new ServerClock();
  #budget = new Budget();
  #sinceMs = 0;
  #first = 0;
  #run = null;

  /** Ask once; `have` is the number of the image there is of each camera. Throws when in vain. */
  async next(have) {
    const query = new URLSearchParams({
      since: this.#sinceMs, have: have.join(","), first: this.#first, bytes: this.#budget.bytes,
    });
    const asked = performance.now();
    try {
      const answer = await fetch(`/news?${query}`, { signal: AbortSignal.timeout(WITHIN_MS) });
      const got = performance.now();
      if (!answer.ok) throw Object.assign(new Error("refused"), { refusal: await answer.text() });
      const body = await answer.arrayBuffer();
      this.#budget.took(body.byteLength, performance.now() - got);
      return this.#understood(body, asked, got);
    } catch (error) {
      if (error.name === "TimeoutError") this.#budget.failed(); // not so where nobody answers
      throw error;
    }
  }

  /** Another run of the server: all numbers are new ones. */
  #understood(body, asked, got) {
    const length = new DataView(body).getUint32(0);
    const news = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length)));
    news.restarted = this.#run !== null && news.run !== this.#run;
    this.#run = news.run;
    if (news.restarted) {
      this.#sinceMs = 0;
      this.clock = new ServerClock();
      return news;
    }
    this.#sinceMs = news.sent_ms;
    this.clock.learn(asked, got, news.received_ms, news.sent_ms);
    let at = 4 + length;
    for (const image of news.images) {
      image.jpeg = new Blob([new Uint8Array(body, at, image.size)], { type: "image/jpeg" });
      at += image.size;
      this.#first = image.camera + 1;
    }
    return news;
  }
}
