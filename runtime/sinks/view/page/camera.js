// One camera's card: its image while it is LIVE, and a slate while it is not.

import { HISTORY_MS, percentile, plotAges, showStages, sized } from "/page/plot.js";

const PALETTE = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#ffffff"];
const DARK_INK = new Set(["#e69f00", "#56b4e9", "#f0e442", "#cc79a7", "#ffffff", "#009e73"]);
const SIGNS = { CONNECTING: "◌", LIVE: "●", STALE: "▲", SILENT: "▲", LOST: "✕", ENDED: "■", UNKNOWN: "✕" };
const SAYS = {
  CONNECTING: "No frame yet",
  STALE: "A frame is overdue",
  LOST: "What it sees is unknown",
  ENDED: "It is over",
  SILENT: "Told to be live, but nothing new comes",
  UNKNOWN: "No connection to stopline",
};
const OLDEST_MS = 2000; // an image older than this is not shown as what a camera sees
const ROOMY_PX = 560; // a narrower image has no room for scores
const RATE_OVER_MS = 5000;

const text = (element, value) => {
  if (element.textContent !== value) element.textContent = value;
};
const seconds = (ms) => (ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : duration(Math.round(ms / 1000)));
const duration = (s) => (s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s`
  : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`);
export const clockTime = (date) => date.toLocaleTimeString([], { hour12: false });

export class CameraCard {
  points = []; // [server's ms, age in ms]
  number = 0; // of the image shown
  names = [];
  onScreen = true;
  #told = "CONNECTING"; // by the server
  #waitsSince = performance.now(); // for an image
  #since = 0; // of that, by our clock
  #capturedMs = null; // of the image shown; null: none is
  #worstMs = 0; // age on this screen since it was last written down
  #bitmap = null;
  #found = [];
  #alarmed = new Set(); // tracks

  constructor(nth, name) {
    this.nth = nth;
    this.name = name;
    this.element = document.getElementById("camera").content.cloneNode(true).firstElementChild;
    this.part = (selector) => this.element.querySelector(selector);
    this.element.setAttribute("aria-label", `Camera ${name}`);
    text(this.part(".name"), name);
    this.part(".name").title = name;
    this.#show("CONNECTING");
  }

  get state() {
    return this.element.dataset.state;
  }

  /** What the server says; the image, if there is one, comes after it. */
  hear(news, clock, deadlineMs) {
    if (news.state !== this.#told) this.#waitsSince = performance.now();
    this.#told = news.state;
    this.#since = performance.now() - news.for_ms;
    this.deadlineMs = deadlineMs;
    this.points.push(...news.points);
    const newest = this.points.at(-1)?.[0] ?? 0;
    const kept = this.points.findIndex(([at]) => at > newest - HISTORY_MS);
    if (kept > 0) this.points.splice(0, kept);
    this.news = news;
    this.look(clock, true);
  }

  /** A new image with what was found in it: both are drawn together, or neither. */
  async see(image, clock) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(image.jpeg);
    } catch {
      return; // cut off in transport: the next one comes soon
    }
    if (this.#told !== "LIVE" || image.number <= this.number) return bitmap.close();
    this.number = image.number;
    this.#noteAge(clock); // of the one it replaces, which was oldest just now
    this.#bitmap?.close();
    [this.#bitmap, this.#capturedMs, this.#found] = [bitmap, image.captured_ms, image.found];
    this.element.style.setProperty("--aspect", image.width / image.height);
    this.look(clock, true);
    this.draw();
  }

  alarm(tracks) {
    this.#alarmed = tracks;
    this.element.classList.toggle("alarmed", tracks.size > 0);
  }

  /** Judge by the clock whether the image may still be shown, a few times a second. */
  look(clock, connected) {
    if (!connected) {
      this.#waitsSince = performance.now();
      return this.#show("UNKNOWN");
    }
    if (this.#told !== "LIVE") return this.#show(this.#told);
    if (!this.onScreen) return this.#show("LIVE"); // nobody sees it, and no images are asked for
    const age = this.#capturedMs === null ? null : clock.ageMs(this.#capturedMs);
    const longest = Math.max(OLDEST_MS, 4 * this.#intervalMs());
    if (age !== null) return this.#show(age < longest ? "LIVE" : "SILENT");
    // Only an image makes it LIVE here; until there is one it stays what it was, for a while.
    if (performance.now() - this.#waitsSince > longest) return this.#show("SILENT");
    if (this.state === "LIVE") this.#show("CONNECTING");
    return undefined;
  }

  #show(state) {
    if (state !== "LIVE") this.#blank();
    if (this.element.dataset.state === state) return;
    this.element.dataset.state = state;
    text(this.part(".badge"), `${SIGNS[state]} ${state}`);
    text(this.part(".slate strong"), state === "UNKNOWN" ? "NOT LIVE" : state);
    this.part(".image").setAttribute("aria-label", state === "LIVE" ? `What ${this.name} sees` : `${this.name} is ${state}`);
  }

  #blank() {
    if (this.#bitmap === null) return;
    this.#waitsSince = performance.now();
    this.#bitmap.close();
    [this.#bitmap, this.#capturedMs, this.#found, this.#worstMs] = [null, null, [], 0];
    const canvas = this.part(".image");
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  #noteAge(clock) {
    if (this.#capturedMs !== null) this.#worstMs = Math.max(this.#worstMs, clock.ageMs(this.#capturedMs) ?? 0);
  }

  /** The words and numbers; called a few times a second. */
  write(clock, connected) {
    this.#noteAge(clock);
    const live = this.state === "LIVE";
    text(this.part(".age"), live && this.#worstMs > 0 ? `≤ ${Math.round(this.#worstMs)} ms old` : "");
    this.#worstMs = 0;
    if (!live) this.#writeSlate(connected);
    this.#writeNumbers(clock, connected, live);
  }

  #writeSlate(connected) {
    const says = SAYS[this.state];
    const silence = performance.now() - this.#since;
    const since = new Date(Date.now() - silence);
    const known = connected && this.state === this.#told;
    text(this.part(".slate span"), known ? `${says}, for ${seconds(silence)}, since ${clockTime(since)}` : says);
  }

  #writeNumbers(clock, connected, live) {
    const ages = this.points.map((point) => point[1]).sort((a, b) => a - b);
    const [half, most] = [percentile(ages, 0.5), percentile(ages, 0.99)];
    const shown = connected && this.news;
    text(this.part(".fps"), shown && live ? this.#rate() : "–");
    this.#number(".p50", shown ? half : null, ages.length);
    this.#number(".p99", shown ? most : null, ages.length);
    this.part(".p99").classList.toggle("bad", Boolean(this.deadlineMs && most > this.deadlineMs));
    text(this.part(".dropped"), shown ? String(this.news.dropped) : "–");
    text(this.part(".missed"), shown ? String(this.news.missed) : "–");
    const now = clock.best ? performance.now() + clock.best.offset : this.points.at(-1)?.[0] ?? 0;
    plotAges(this.part(".plot"), this.points, now, this.deadlineMs);
    this.part(".plot").setAttribute("aria-label", `Age over the last minute: ${half === null ? "nothing" : `half under ${half} ms, 99 % under ${most} ms`}`);
    showStages(this.part(".bar"), this.part(".legend"), shown && live ? this.news.stages_ms : {});
  }

  #number(selector, ms, count) {
    const unit = document.createElement("small");
    unit.textContent = ms === null ? "" : selector === ".p99" ? ` ms n=${count}` : " ms";
    const part = this.part(selector);
    const value = ms === null ? "–" : ms.toFixed(ms < 100 ? 1 : 0);
    if (part.textContent !== value + unit.textContent) part.replaceChildren(value, unit);
  }

  #latest() {
    const newest = this.points.at(-1)?.[0] ?? 0;
    return this.points.filter(([at]) => at > newest - RATE_OVER_MS);
  }

  #rate() {
    const latest = this.#latest();
    if (latest.length < 2) return "–";
    const lasted = latest.at(-1)[0] - latest[0][0];
    return lasted ? (((latest.length - 1) * 1000) / lasted).toFixed(1) : "–";
  }

  #intervalMs() {
    const last = this.points.slice(-5);
    return last.length < 2 ? 0 : (last.at(-1)[0] - last[0][0]) / (last.length - 1);
  }

  draw() {
    const canvas = this.part(".image");
    const ratio = sized(canvas);
    if (this.#bitmap === null) return;
    const pen = canvas.getContext("2d");
    pen.drawImage(this.#bitmap, 0, 0, canvas.width, canvas.height);
    for (const one of [...this.#found].reverse()) this.#drawBox(pen, one, ratio);
  }

  #drawBox(pen, { box, score, name, kind, track }, ratio) {
    const { width, height } = pen.canvas;
    const [x0, y0, x1, y1] = [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
    const alarmed = track !== null && this.#alarmed.has(track);
    const colour = alarmed ? "#d55e00" : PALETTE[kind % PALETTE.length];
    const line = (alarmed ? 4 : 2) * ratio;
    // A dark line around the bright one: seen before a bright sky as well as before a dark road.
    for (const [stroke, wide] of [["#000", line + 2 * ratio], [colour, line]]) {
      [pen.strokeStyle, pen.lineWidth] = [stroke, wide];
      pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
    const roomy = width / ratio >= ROOMY_PX;
    const sure = roomy ? ` ${score.toFixed(2)}` : "";
    const label = `${alarmed ? "▲ " : ""}${name}${sure}${track === null ? "" : ` #${track}`}`;
    pen.font = `600 ${(roomy ? 13 : 11.5) * ratio}px system-ui, "DejaVu Sans", sans-serif`;
    pen.textBaseline = "bottom";
    const [wide, high] = [pen.measureText(label).width + 8 * ratio, (roomy ? 18 : 15) * ratio];
    const left = Math.max(0, Math.min(x0, width - wide));
    const low = Math.max(high, y0);
    pen.fillStyle = colour;
    pen.fillRect(left, low - high, wide, high);
    pen.fillStyle = DARK_INK.has(colour) ? "#000" : "#fff";
    pen.fillText(label, left + 4 * ratio, low - 2 * ratio);
  }
}
