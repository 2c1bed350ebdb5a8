// The zones in force, and the form that adds one; the server checks what is sent, and says why not.

import { Pen, showChips, showZones } from "/page/zones.js";

export class Editor {
  rules = null; // null: nobody watches, and there is nothing to edit
  names = [];
  clips = false;
  #number = -1;
  #pen = null;
  #dialog = document.getElementById("zone");
  #form = this.#dialog.querySelector("form");

  constructor(redraw) {
    this.redraw = redraw;
    this.#dialog.querySelector(".cancel").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#put());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  /** Of another run nothing is known. */
  forget() {
    this.#put();
    [this.rules, this.#number] = [null, -1];
  }

  /** Fetch the rules again if their number says that they are others. */
  async follow(number) {
    if (number === this.#number) return;
    const before = this.#number;
    this.#number = number;
    try {
      Object.assign(this, await (await fetch("/rules")).json());
    } catch {
      this.#number = before; // asked again with the next news
    }
    this.redraw();
  }

  show(card, holding) {
    const alarmed = new Set(holding.filter((alert) => alert.camera === card.name).map((alert) => alert.zone));
    const here = showZones(card, this.rules?.zones ?? {}, alarmed);
    showChips(card, here, alarmed, (name) => this.#remove(name));
    card.part(".draw").hidden = this.rules === null;
  }

  draw(card) {
    this.#put();
    this.#pen = new Pen(card, (points) => this.#ask(card, points));
  }

  #put() {
    this.#pen?.close();
    this.#pen = null;
  }

  async #ask(card, points) {
    this.points = points;
    this.card = card;
    this.#form.reset();
    this.#complain(null);
    Object.assign(this, await (await fetch("/rules")).json());
    const nothing = new Option("nothing: only show the zone", "");
    this.#form.kind.replaceChildren(...this.names.map((name) => new Option(name, name)), nothing);
    this.#dialog.showModal();
  }

  async #save() {
    const { name, kind, held, over, every } = this.#form;
    const rule = kind.value && {
      name: `${kind.value} in ${name.value.trim()}`, class: kind.value, zone: name.value.trim(),
      held_s: held.valueAsNumber, gone_s: over.valueAsNumber,
    };
    const zone = { points: this.points, ...(every.checked ? {} : { camera: this.card.name }) };
    const body = JSON.stringify({ name: name.value.trim(), zone, rule: rule || null });
    const why = await this.#send("/zones", { method: "POST", body });
    this.#complain(why);
    if (why === null) this.#dialog.close();
  }

  async #remove(name) {
    const why = await this.#send(`/zones/${encodeURIComponent(name)}`, { method: "DELETE" });
    if (why !== null) window.alert(why);
  }

  /** Null if it was done, else why not. */
  async #send(path, options) {
    let answer;
    try {
      answer = await fetch(path, { ...options, signal: AbortSignal.timeout(5000) });
    } catch {
      return "There is no connection: nothing was changed as far as this page knows.";
    }
    if (!answer.ok) return await answer.text();
    this.rules = (await answer.json()).rules;
    this.redraw();
    return null;
  }

  #complain(why) {
    const place = this.#form.querySelector(".error");
    place.hidden = why === null;
    place.textContent = why ?? "";
  }
}
