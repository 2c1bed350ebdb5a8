// The list of what happened, and which alerts hold now.

import { clockTime } from "/page/camera.js";

const MOST = 100;

export class Events {
  holding = new Map(); // by id, the alerts that began and have not ended
  clips = false;
  #list = document.getElementById("events");
  #items = new Map(); // by id of the alert

  clear() {
    this.holding.clear();
    this.#items.clear();
    this.#list.replaceChildren();
  }

  tell(events) {
    for (const event of events) (event.event === "alert" ? this.#alert(event) : this.#other(event));
    while (this.#list.children.length > MOST) this.#list.lastElementChild.remove();
    document.getElementById("no-events").hidden = this.#list.children.length > 0;
  }

  #alert(event) {
    const began = event.phase === "began";
    if (began) this.holding.set(event.id, event);
    else this.holding.delete(event.id);
    const known = this.#items.get(event.id);
    const item = known ?? this.#item("alert", event);
    this.#items.set(event.id, item);
    item.classList.toggle("on", began);
    const held = `${event.name} #${event.track}, held ${event.held_s.toFixed(1)} s`;
    const ended = began ? held : `${held}, ended${event.why ? `: ${event.why}` : ""}`;
    this.#say(item, `${began ? "▲ " : ""}${event.rule}`, ended, event.camera);
    if (this.clips) item.append(this.#watch(event));
  }

  #watch(event) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Watch the clip of ${event.rule}`);
    button.textContent = "Clip";
    button.addEventListener("click", () => {
      const dialog = document.getElementById("clip");
      const [video, none] = [dialog.querySelector("video"), dialog.querySelector(".error")];
      dialog.querySelector("h2").textContent = `${event.rule}, ${clockTime(new Date(event.utc))}`;
      [video.hidden, none.hidden] = [false, true];
      video.onerror = () => ([video.hidden, none.hidden] = [true, false]);
      video.src = `/clips/${encodeURIComponent(event.id)}`;
      dialog.onclose = () => video.pause();
      dialog.showModal();
      video.play().catch(() => {}); // the controls are there for it
    });
    return button;
  }

  #other(event) {
    const [kind, title, what] = {
      step: () => ["step", event.level ? `Degraded to level ${event.level}: ${event.rung}` : "All that was asked for again", event.why],
      reloaded: () => [event.error ? "trouble" : "note", event.error ? "Rules not reloaded" : "Rules reloaded", event.error ?? event.path],
      sink: () => [event.error ? "trouble" : "note", event.error ? `${event.sink} fails` : `${event.sink} works again`,
        `${event.error ? `${event.error}; ` : ""}${event.lost} lost`],
    }[event.event]?.() ?? ["note", event.event, ""];
    this.#say(this.#item(kind, event), title, what);
  }

  #item(kind, event) {
    const item = document.createElement("li");
    item.className = kind;
    item.dataset.utc = event.utc;
    this.#list.prepend(item);
    return item;
  }

  #say(item, title, what, camera = "") {
    const [when, name, more, where] = ["time", "strong", "p", "p"].map((tag) => document.createElement(tag));
    when.dateTime = item.dataset.utc;
    when.textContent = clockTime(new Date(item.dataset.utc));
    [name.textContent, more.textContent, more.className] = [title, what, "what"];
    [where.textContent, where.title, where.className] = [camera, camera, "what where"];
    item.replaceChildren(when, name, more, ...(camera ? [where] : []));
  }
}
