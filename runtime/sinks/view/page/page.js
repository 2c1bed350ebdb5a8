// Asks for news, shows it, and says so at once when there is none.

import { CameraCard, clockTime } from "/page/camera.js";
import { Editor } from "/page/editor.js";
import { Events } from "/page/events.js";
import { News } from "/page/news.js";

const SILENT_AFTER_MS = 1200; // without an answer, which come every 250 ms, nothing here is live
const LOOK_EVERY_MS = 100;
const WRITE_EVERY_MS = 250;
const RETRY_MS = 250;

const news = new News();
const events = new Events();
const editor = new Editor(() => showRules());
const cards = [];
const grid = document.getElementById("cameras");
let heardMs = null; // when the last answer came, by a clock that goes on while the machine sleeps
let goneSince = null;
let refusal = ""; // why the server does not answer, if it says so

const visible = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const card = cards.find((one) => one.element === target);
    if (card) card.onScreen = isIntersecting;
  }
});

function connected() {
  return heardMs !== null && Date.now() - heardMs < SILENT_AFTER_MS && Date.now() >= heardMs;
}

function card(nth, name) {
  if (cards[nth]) return cards[nth];
  const made = new CameraCard(nth, name);
  cards[nth] = made;
  grid.append(made.element);
  visible.observe(made.element);
  made.part(".enlarge").addEventListener("click", () => enlarge(made));
  made.part(".draw").addEventListener("click", () => editor.draw(made));
  layOut();
  editor.show(made, []);
  return made;
}

function layOut() {
  const count = cards.length;
  grid.style.setProperty("--columns", Math.min(4, Math.ceil(Math.sqrt(count))));
  grid.classList.toggle("single", count === 1);
  grid.classList.toggle("dense", count > 4);
  for (const one of cards) one.part(".enlarge").hidden = count === 1;
}

function enlarge(one) {
  const only = one.element.classList.toggle("only");
  one.part(".enlarge").textContent = only ? "Show all" : "Enlarge";
  one.part(".enlarge").setAttribute("aria-pressed", String(only));
  one.element.scrollIntoView({ block: "nearest" });
}

function clear() {
  for (const one of cards) one.element.remove();
  cards.length = 0;
  events.clear();
  editor.forget();
}

function hear(told) {
  [heardMs, refusal] = [Date.now(), ""];
  if (told.restarted) return clear();
  told.cameras.forEach((camera, nth) => card(nth, camera.name).hear(camera, news.clock, told.deadline_ms));
  for (const image of told.images) cards[image.camera].see(image, news.clock);
  events.clips = editor.clips;
  events.tell(told.events);
  if (told.events.length) showRules();
  editor.follow(told.rules);
  degraded(told.step);
  return undefined;
}

function showRules() {
  const holding = [...events.holding.values()];
  for (const one of cards) {
    editor.show(one, holding);
    one.alarm(new Set(holding.filter((alert) => alert.camera === one.name).map((alert) => alert.track)));
  }
}

function degraded(step) {
  const banner = document.getElementById("degraded");
  banner.hidden = step === null || step.level === 0;
  const says = banner.hidden ? "" : `Degraded, level ${step.level}: ${step.rung}. ${step.why}`;
  if (banner.textContent !== says) banner.textContent = says;
}

/** The page's own watch: it does not depend on any answer, nor on an error, to notice. */
function look() {
  news.clock.forgetIfSlept();
  const on = connected();
  if (on === (goneSince === null)) return cards.forEach((one) => one.look(news.clock, on));
  goneSince = on ? null : Date.now();
  document.body.dataset.connection = on ? "live" : "gone";
  document.getElementById("gone").hidden = on;
  cards.forEach((one) => one.look(news.clock, on));
  return write();
}

function write() {
  const on = connected();
  for (const one of cards) one.write(news.clock, on);
  const live = cards.filter((one) => one.state === "LIVE").length;
  const count = `${cards.length} ${cards.length === 1 ? "camera" : "cameras"}`;
  document.getElementById("summary").textContent = on ? `${live} of ${count} live` : "";
  document.title = on ? `${live}/${cards.length} live · stopline` : "NOT LIVE · stopline";
  const error = news.clock.best?.error;
  document.getElementById("link").textContent = on && error !== undefined ? `clock ± ${error.toFixed(error < 10 ? 1 : 0)} ms` : "";
  if (goneSince !== null) document.getElementById("gone-for").textContent = `Since ${clockTime(new Date(goneSince))}. ${refusal}`;
}

async function listen() {
  for (;;) {
    if (document.hidden) {
      await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
      continue;
    }
    const only = grid.querySelector(".only");
    const have = cards.map((one) => (one.onScreen && (!only || one.element === only) ? one.number : -1));
    try {
      hear(await news.next(have));
    } catch (error) {
      refusal = error.refusal ?? "";
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

document.addEventListener("visibilitychange", look);
window.addEventListener("pageshow", look);
window.addEventListener("resize", () => cards.forEach((one) => one.draw()));
setInterval(look, LOOK_EVERY_MS);
setInterval(write, WRITE_EVERY_MS);
look();
listen();
