// Claims: the list by arrows with its detail beside it, groups by [ and ], and exports that are going on.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const typing = (node) => node && (node.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName));

// --- list and detail ------------------------------------------------------------------------------------------------
const table = $("table[data-detail-into]");
const into = table ? document.getElementById(table.dataset.detailInto) : null;
let timer = 0;
let asked = 0;

function select(row) {
  $$("tr.is-selected", table).forEach((n) => n.classList.remove("is-selected"));
  row.classList.add("is-selected");
  window.clearTimeout(timer);
  timer = window.setTimeout(() => load(row), 150);
}

async function load(row) {
  const mine = ++asked;
  const response = await fetch(row.dataset.detail, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!response?.ok || mine !== asked) { if (!response?.ok) location.href = row.dataset.href; return; }
  into.innerHTML = await response.text();
}

if (table && into) {
  table.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr[data-detail]");
    if (row && !row.classList.contains("is-selected")) select(row);
  });
  table.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-detail]");
    if (!row || event.target.closest("a, button")) return;
    event.preventDefault(); event.stopPropagation();
    row.focus();
  });
  table.addEventListener("dblclick", (event) => { const row = event.target.closest("tr[data-href]"); if (row) location.href = row.dataset.href; });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== document.body || $("dialog[open]")) return;
    const row = $("tr.is-selected", table);
    if (row) { event.preventDefault(); location.href = row.dataset.href; }
  });
}

// --- groups -----------------------------------------------------------------------------------------------------------
const groups = $$("[data-groups] a.eg");
$("[data-groups] a[aria-current]")?.scrollIntoView({ block: "nearest" });
document.addEventListener("keydown", (event) => {
  if (!["[", "]"].includes(event.key) || typing(event.target) || !groups.length || $("dialog[open]")) return;
  const at = groups.findIndex((n) => n.hasAttribute("aria-current"));
  const next = groups[Math.max(0, Math.min(groups.length - 1, at + (event.key === "]" ? 1 : -1)))];
  if (next) { event.preventDefault(); location.href = next.href; }
});

// --- exports: ask for a version, draw only what changed ---------------------------------------------------------------
$$("[data-export-url]").forEach((part) => {
  const bar = $("progress", part);
  const text = $("[data-export-text]", part);
  let version = "";
  let failures = 0;
  const tick = async () => {
    const url = new URL(part.dataset.exportUrl, location.href);
    url.searchParams.set("version", version);
    const response = await fetch(url, { headers: { Accept: "application/json", "X-Background": "1" } }).catch(() => null);
    failures = response ? 0 : failures + 1;
    if (response?.status === 200) {
      const answer = await response.json();
      version = answer.version;
      bar.max = answer.total || 1;
      bar.value = answer.done;
      if (text) text.textContent = answer.text;
      if (answer.finished) { location.reload(); return; }
    }
    if (response && response.status >= 400) return;
    window.setTimeout(tick, document.hidden ? 60000 : Math.min(1000 * 2 ** failures, 30000));
  };
  tick();
});
