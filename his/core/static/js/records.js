// The record: older years come while scrolling, papers and the access log beside it, words filter the timeline.
// Without this file the links in the page lead to the same parts.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const part = async (url) => {
  const response = await fetch(url, { headers: { "X-Background": "1", "HX-Request": "true" } }).catch(() => null);
  return response?.ok ? response.text() : null;
};

// --- older years ----------------------------------------------------------------------------------------------------------
const stretch = $("[data-stretch]");
let filter = () => undefined;
if (stretch) {
  let busy = false;
  const more = async () => {
    const end = $("[data-older]", stretch);
    if (!end || busy || end.getBoundingClientRect().top > stretch.getBoundingClientRect().bottom + 400) return;
    busy = true;
    const html = await part(end.dataset.older);
    busy = false;
    if (html === null) { end.removeAttribute("data-older"); return; }
    const last = $$("[data-year]", stretch).pop()?.dataset.year;
    end.insertAdjacentHTML("afterend", html);
    end.remove();
    $$("[data-year]", stretch).filter((n, i, all) => n.dataset.year === last && all.findIndex((m) => m.dataset.year === last) !== i).forEach((n) => n.remove());
    filter();
    more();
  };
  stretch.addEventListener("scroll", more, { passive: true });
  more();
}

// --- filter: words without accents, kinds ------------------------------------------------------------------------------------
const field = $("[data-filter]");
if (field && stretch) {
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
  let kinds = [];
  filter = () => {
    const words = fold(field.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    $$(".ev", stretch).forEach((row) => {
      const text = fold(row.dataset.words);
      row.hidden = !(words.every((w) => text.includes(w)) && (!kinds.length || kinds.includes(row.dataset.kind)));
      if (!row.hidden) shown += 1;
    });
    $$("[data-year]", stretch).forEach((head) => {
      let row = head.nextElementSibling; let any = false;
      while (row && !row.matches("[data-year]")) { if (row.matches(".ev") && !row.hidden) any = true; row = row.nextElementSibling; }
      head.hidden = !any;
    });
    $("[data-filter-count]").textContent = words.length || kinds.length ? String(shown) : "";
  };
  field.addEventListener("input", filter);
  $$("[data-kinds]").forEach((chip) => chip.addEventListener("click", () => {
    $$("[data-kinds]").forEach((n) => { n.classList.toggle("on", n === chip); n.setAttribute("aria-pressed", String(n === chip)); });
    kinds = chip.dataset.kinds.split(" ").filter(Boolean);
    filter();
  }));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !["INPUT", "TEXTAREA", "SELECT"].includes(document.activeElement?.tagName)) { event.preventDefault(); field.focus(); }
  });
}

// --- the parts beside ----------------------------------------------------------------------------------------------------------
const side = $("[data-load]");
if (side) part(side.dataset.load).then((html) => {
  if (html === null) return;
  $$("section", side).slice(1).forEach((n) => n.remove());
  side.insertAdjacentHTML("beforeend", html);
});

// --- labels of comboboxes travel with the form -----------------------------------------------------------------------------------
$("[data-labels]")?.addEventListener("combo:pick", (event) => {
  const label = $(`[data-label-of="${event.target.querySelector("input").id}"]`);
  if (label) label.value = event.detail.label;
});
