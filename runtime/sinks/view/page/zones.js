// Zones over the images, and the pen that draws new ones. Everything is in 0..1 of the frame.

const SVG = "http://www.w3.org/2000/svg";
const NEAR_PX = 12; // a click so near the first corner closes the zone
const [STEP, LEAP] = [0.01, 0.05]; // of the arrow keys, with Shift

const shape = (tag, attributes) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
const listed = (points) => points.map((point) => point.join(",")).join(" ");

/** The zones in force on one camera; `alarmed` are the names of those with an alert. */
export function showZones(card, zones, alarmed) {
  const here = Object.entries(zones).filter(([, zone]) => zone.camera == null || zone.camera === card.name);
  const svg = card.part(".zones");
  svg.querySelectorAll(".zone").forEach((old) => old.remove());
  svg.prepend(...here.map(([name, zone]) =>
    shape("polygon", { class: alarmed.has(name) ? "zone alarmed" : "zone", points: listed(zone.points) })));
  card.part(".labels").replaceChildren(...here.map(([name, zone]) => {
    const label = document.createElement("span");
    label.textContent = name;
    label.className = alarmed.has(name) ? "alarmed" : "";
    const middle = [0, 1].map((k) => zone.points.reduce((sum, point) => sum + point[k], 0) / zone.points.length);
    [label.style.left, label.style.top] = middle.map((share) => `${100 * share}%`);
    return label;
  }));
  return here;
}

/** A chip for each zone, with a button that removes it when pressed twice. */
export function showChips(card, here, alarmed, remove) {
  card.part(".chips").replaceChildren(...here.map(([name]) => {
    const chip = document.createElement("li");
    chip.className = alarmed.has(name) ? "alarmed" : "";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "✕";
    button.setAttribute("aria-label", `Delete zone ${name}`);
    button.addEventListener("click", () => {
      if (button.dataset.sure) return remove(name);
      button.dataset.sure = "yes";
      button.textContent = "Delete?";
      button.addEventListener("blur", () => {
        delete button.dataset.sure;
        button.textContent = "✕";
      }, { once: true });
    });
    chip.append(name, button);
    return chip;
  }));
}

/** Draws one polygon on a card, by mouse, finger or keys, and calls `finished` with its points. */
export class Pen {
  #points = [];
  #at = [0.5, 0.5]; // where the next corner would be
  #over = new AbortController();

  constructor(card, finished) {
    this.card = card;
    this.finished = finished;
    this.svg = card.part(".zones");
    this.bar = card.part("div.drawing");
    this.svg.classList.add("drawing");
    this.svg.setAttribute("tabindex", "0");
    this.svg.setAttribute("role", "application");
    this.svg.removeAttribute("aria-hidden");
    this.svg.setAttribute("aria-label", "Drawing a zone: arrow keys move, space sets a corner, Enter ends, Escape gives up");
    this.bar.hidden = false;
    this.#listen();
    this.svg.focus();
    this.#draw();
  }

  #listen() {
    const heard = { signal: this.#over.signal };
    this.svg.addEventListener("pointermove", (event) => this.#move(this.#share(event)), heard);
    this.svg.addEventListener("click", (event) => this.#corner(this.#share(event), event), heard);
    this.svg.addEventListener("keydown", (event) => this.#key(event), heard);
    const press = (name, action) => this.bar.querySelector(name).addEventListener("click", action, heard);
    press(".undo", () => this.#undo());
    press(".done", () => this.#done());
    press(".cancel", () => this.close());
  }

  #share(event) {
    const place = this.svg.getBoundingClientRect();
    const share = [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height];
    return share.map((part) => Math.round(Math.min(1, Math.max(0, part)) * 1e4) / 1e4);
  }

  #move(at) {
    this.#at = at;
    this.#draw();
  }

  #corner(at, event) {
    if (event && this.#points.length >= 3 && this.#closes(event)) return this.#done();
    const last = this.#points.at(-1);
    if (!last || last[0] !== at[0] || last[1] !== at[1]) this.#points.push(at);
    this.#move(at);
  }

  #closes(event) {
    const place = this.svg.getBoundingClientRect();
    const [x, y] = this.#points[0];
    return Math.hypot(x * place.width + place.left - event.clientX, y * place.height + place.top - event.clientY) < NEAR_PX;
  }

  #key(event) {
    const leap = event.shiftKey ? LEAP : STEP;
    const ways = { ArrowLeft: [-leap, 0], ArrowRight: [leap, 0], ArrowUp: [0, -leap], ArrowDown: [0, leap] };
    const acts = { " ": () => this.#corner(this.#at), Enter: () => this.#done(), Escape: () => this.close(), Backspace: () => this.#undo() };
    if (ways[event.key]) this.#move(this.#at.map((part, k) => Math.round(Math.min(1, Math.max(0, part + ways[event.key][k])) * 1e4) / 1e4));
    else if (acts[event.key]) acts[event.key]();
    else return;
    event.preventDefault();
  }

  #undo() {
    this.#points.pop();
    this.#draw();
  }

  #done() {
    if (this.#points.length < 3) return;
    this.finished(this.#points);
  }

  #draw() {
    this.svg.querySelectorAll(".new, .corner, .cross").forEach((old) => old.remove());
    const [x, y] = this.#at;
    this.svg.append(
      shape("polygon", { class: "new", points: listed([...this.#points, this.#at]) }),
      shape("path", { class: "cross", d: `M${x - 0.02} ${y}h.04M${x} ${y - 0.03}v.06` }),
      ...this.#points.map(([cx, cy]) => shape("path", { class: "corner", d: `M${cx} ${cy}h0` })),
    );
    const count = this.#points.length;
    const more = count < 3 ? "Click the corners of the zone, or use the arrow keys and space." : "Click the first corner, or Done, to close it.";
    this.bar.querySelector(".hint").textContent = `${count} ${count === 1 ? "corner" : "corners"}. ${more}`;
    this.bar.querySelector(".done").disabled = count < 3;
  }

  close() {
    this.#over.abort();
    this.svg.classList.remove("drawing");
    for (const name of ["tabindex", "role", "aria-label"]) this.svg.removeAttribute(name);
    this.svg.setAttribute("aria-hidden", "true");
    this.svg.querySelectorAll(".new, .corner, .cross").forEach((old) => old.remove());
    this.bar.hidden = true;
  }
}
