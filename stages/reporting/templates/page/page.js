// Charts, the place in the contents, the search of answers, the copied command. The page reads well without any of it.
"use strict";

// an interpreter instead of compiled expressions: the page's policy forbids eval
const draw = (place, spec) =>
  vegaEmbed(place, spec, { actions: false, renderer: "svg", ast: true }).catch((error) => console.error(error));
const charts = [...document.querySelectorAll(".chart")].map((chart) => {
  const spec = JSON.parse(chart.querySelector("script").textContent);
  const place = document.createElement("div");
  chart.append(place);
  draw(place, spec);
  return { place, spec };
});
const curves = charts.filter(({ spec }) => spec.data.values.length && spec.data.values.every((point) => point.loss > 0));
if (curves.length) {
  const log = document.getElementById("log");
  log.closest("p").hidden = false;
  log.addEventListener("change", () => {
    for (const { place, spec } of curves) {
      for (const { encoding } of spec.layer) if (encoding.y) encoding.y.scale = { type: log.checked ? "log" : "linear" };
      draw(place, spec);
    }
  });
}

// only what has something to scroll to is a stop of the Tab key
const tables = new ResizeObserver((entries) => {
  for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
});
for (const table of document.querySelectorAll(".scroll")) tables.observe(table);

const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const list = document.querySelector("nav ul");
const sections = [...links.keys()].map((id) => document.getElementById(id));
function place() {
  const passed = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3);
  const now = links.get((passed.at(-1) ?? sections[0]).id);
  if (!now.hasAttribute("aria-current")) list.scrollLeft = now.offsetLeft - (list.clientWidth - now.offsetWidth) / 2;
  for (const link of links.values()) {
    if (link === now) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
addEventListener("scroll", place, { passive: true });
place();

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target && (target.matches("details") ? target : target.matches(".graph > li") && target.querySelector("details"));
  if (details) {
    details.open = true;
    details.querySelector("summary").focus({ preventScroll: true });
  }
}
addEventListener("hashchange", openTarget);
openTarget();

const searches = [...document.querySelectorAll(".search")].map((form) => {
  const field = form.querySelector("[type=search]");
  const chapter = form.closest("section");
  const articles = [...chapter.querySelectorAll("article")].map((node) => ({ node, text: node.textContent.toLowerCase() }));
  const nothing = chapter.querySelector(".nothing");
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const show = form.elements.show.value;
    let shown = 0;
    for (const { node, text } of articles) {
      node.hidden = !(words.every((word) => text.includes(word)) && (!show || node.dataset[show] === "1"));
      shown += !node.hidden;
    }
    form.querySelector("output").textContent = `${shown} of ${articles.length} shown`;
    nothing.hidden = shown > 0;
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  nothing.querySelector("button").addEventListener("click", () => {
    form.reset();
    filter();
    field.focus();
  });
  filter();
  return { field, chapter };
});
if (searches.length)
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input[type=search]")) return;
    event.preventDefault();
    // that of the chapter which is read, or else the first one below
    const { field } = searches.find(({ chapter }) => chapter.getBoundingClientRect().bottom > innerHeight / 3) ?? searches.at(-1);
    field.focus();
  });

const copy = document.querySelector(".command button");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(".command code").textContent);
    copy.textContent = "Copied";
  });
}
