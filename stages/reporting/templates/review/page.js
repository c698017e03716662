// One pair at a time: arrows choose, b and n move, s saves a CSV of what was chosen.
"use strict";

const pairs = JSON.parse(document.getElementById("pairs").textContent);
const who = document.getElementById("who");
let name = ""; // of the reviewer
let kept = ""; // where the browser keeps the choices
let choices = new Map();
let at = 0;
let saved = true;

function start() {
  name = document.getElementById("name").value;
  kept = `review ${name} ${pairs[0].id} ${pairs.length}`;
  choices = new Map(read());
  at = Math.max(0, pairs.findIndex((pair) => !choices.has(pair.id)));
  saved = choices.size === 0; // those of before may not be in a file
  who.hidden = true;
  for (const part of document.querySelectorAll("#judging, .bar-of-keys")) part.hidden = false;
  document.activeElement.blur(); // the keys are for the choices now
  show();
}

// a browser may keep nothing for files
function read() {
  try {
    return JSON.parse(localStorage.getItem(kept)) ?? [];
  } catch {
    return [];
  }
}

function keep() {
  try {
    localStorage.setItem(kept, JSON.stringify([...choices]));
  } catch {
    // then leaving the page asks first
  }
}

function show() {
  const pair = pairs[at];
  const judged = pairs.filter(({ id }) => choices.has(id)).length;
  const question = document.getElementById("question");
  question.textContent = pair.question;
  question.classList.toggle("dialogue", pair.question.includes("\n\n"));
  for (const side of ["left", "right"]) {
    const box = document.getElementById(side);
    box.querySelector("p").textContent = pair[side];
    box.classList.toggle("chosen", choices.get(pair.id) === side);
  }
  for (const button of document.querySelectorAll("[data-choice]"))
    button.setAttribute("aria-pressed", String(choices.get(pair.id) === button.dataset.choice));
  document.querySelector("progress").value = judged;
  const rest = judged === pairs.length ? (saved ? "all judged" : "all judged: press s to save") : `${judged} judged`;
  document.getElementById("place").textContent = `${name} · pair ${at + 1} of ${pairs.length} · ${rest}`;
  scrollTo(0, 0);
}

function move(by) {
  at = Math.min(Math.max(at + by, 0), pairs.length - 1);
  show();
}

function choose(choice) {
  choices.set(pairs[at].id, choice);
  saved = false;
  keep();
  move(1);
}

function save() {
  const lines = pairs.filter(({ id }) => choices.has(id)).map(({ id }) => `${id},${choices.get(id)},`);
  const file = new Blob([["id,verdict,note", ...lines, ""].join("\r\n")], { type: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  saved = true;
  show();
}

function press(button) {
  if (button.dataset.choice) choose(button.dataset.choice);
  else if (button.dataset.move) move(Number(button.dataset.move));
  else save();
}

for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", () => press(button));
addEventListener("keydown", (event) => {
  const button = document.querySelector(`[data-key="${CSS.escape(event.key.length === 1 ? event.key.toLowerCase() : event.key)}"]`);
  if (!name || !button || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  event.preventDefault();
  press(button);
});
addEventListener("beforeunload", (event) => {
  if (!saved) event.preventDefault();
});
who.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
who.hidden = false;
document.getElementById("name").focus();
