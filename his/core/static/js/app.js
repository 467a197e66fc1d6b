// Behaviour of every page, by data attributes only (strict content policy: no inline script).
// Pages work as plain forms without this file; it adds keys, drafts, live parts, lock and signing dialogs.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const words = JSON.parse($("#i18n")?.textContent || "{}");
const token = () => $('meta[name="csrf-token"]')?.content || "";
const body = document.body;

export async function send(url, { method = "POST", data = null, background = false, keepalive = false } = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": token() };
  if (data !== null) headers["Content-Type"] = "application/json";
  if (background) headers["X-Background"] = "1";
  const response = await fetch(url, { method, headers, keepalive, body: data === null ? null : JSON.stringify(data), credentials: "same-origin" });
  let answer = {};
  try { answer = await response.json(); } catch { answer = {}; }
  if (response.status === 423) showLock();
  if (response.status === 401 && body.dataset.loginUrl) location.href = `${body.dataset.loginUrl}?next=${encodeURIComponent(location.pathname + location.search)}`;
  return { ok: response.ok, status: response.status, answer, headers: response.headers };
}

// --- keys -----------------------------------------------------------------------------------------------------------
function keyName(event) {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (!["Control", "Alt", "Shift", "Meta"].includes(event.key)) parts.push(key);
  return parts.join("+");
}
const normal = (key) => key.replace(/\s+/g, "+");
const inText = (node) => node && (node.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName));
const visible = (node) => node && node.offsetParent !== null;

function press(node) {
  if (node.getAttribute("aria-disabled") === "true" || node.disabled) { node.focus(); return; }
  if (inText(node)) node.focus(); else node.click();
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  const name = keyName(event);
  if ($("dialog[open]")) return;
  if (name === "F1") { event.preventDefault(); showKeys(); return; }
  if (name === "Escape") {
    if (document.activeElement?.closest(".combo") && !$(".list", document.activeElement.closest(".combo")).hidden) return;
    const back = $('[data-key="Esc"]');
    const scan = $("[data-scan-field]");
    if (scan && document.activeElement !== scan) { event.preventDefault(); scan.focus(); scan.select(); return; }
    if (back && !inText(document.activeElement)) { event.preventDefault(); press(back); }
    return;
  }
  if (/^Alt\+[1-9]$/.test(name)) {
    const part = $(`[data-part="${name.slice(4)}"]`);
    if (part) { event.preventDefault(); part.focus(); part.scrollIntoView({ block: "nearest" }); }
    return;
  }
  const focusTarget = $$("[data-key-focus]").find((n) => n.dataset.keyFocus === name);
  if (focusTarget) { event.preventDefault(); focusTarget.focus(); focusTarget.select?.(); return; }
  if (name === "Ctrl+Z" && inText(document.activeElement) && document.activeElement.value) return;
  const target = $$("[data-key]").find((n) => normal(n.dataset.key) === name && visible(n));
  if (target && name !== "Enter" && name !== "Esc") { event.preventDefault(); press(target); return; }
  if (name === "Enter" && !event.target.closest("form, a, button, [data-rows], .combo, textarea")) {
    const main = $$('[data-key="Enter"]').find(visible);
    if (main) { event.preventDefault(); press(main); }
  }
});

function showKeys() {
  const dialog = $("#keys-dialog");
  if (!dialog) return;
  const list = $("[data-keys-list]", dialog);
  list.replaceChildren(...$$("[data-keybar] > span").map((n) => { const row = n.cloneNode(true); row.className = "row-flex mb-2"; return row; }));
  dialog.showModal();
}
document.addEventListener("click", (event) => {
  const close = event.target.closest("[data-close]");
  if (close) close.closest("dialog").close();
  if (event.target.closest("[data-back]")) history.back();
});

// --- forms: one submit, typed numbers and dates ------------------------------------------------------------------------
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || form.hasAttribute("data-repeat")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.dataset.needsPin !== undefined && !form.dataset.proved) { event.preventDefault(); askPin(() => { form.dataset.proved = "1"; form.requestSubmit(event.submitter || undefined); }); return; }
  form.dataset.sent = "1";
  const button = event.submitter;
  if (button?.tagName === "BUTTON") { button.setAttribute("aria-busy", "true"); button.style.minWidth = `${button.offsetWidth}px`; }
  window.setTimeout(() => { delete form.dataset.sent; }, 8000);
});
window.addEventListener("pageshow", () => $$("form").forEach((f) => { delete f.dataset.sent; }));

document.addEventListener("change", (event) => {
  const node = event.target;
  if (node.matches?.("[data-date]")) {
    const digits = node.value.replace(/\D/g, "");
    if (digits.length === 6 || digits.length === 8) {
      const now = new Date().getFullYear() % 100;
      const yy = digits.slice(4);
      const year = yy.length === 4 ? yy : String((Number(yy) <= now + 6 ? 2000 : 1900) + Number(yy));
      node.value = `${digits.slice(0, 2)}/${digits.slice(2, 4)}/${year}`;
    }
  }
  if (node.matches?.("[data-submit]")) node.form.requestSubmit();
});

// --- scan field -----------------------------------------------------------------------------------------------------------
const scan = $("[data-scan-field]");
if (scan) {
  let last = 0; let fast = 0; let garbled = false;
  scan.addEventListener("keydown", (event) => {
    const now = performance.now();
    if (event.key.length === 1) {
      fast = now - last < 50 ? fast + 1 : 0;
      if (fast > 5 && /[ăâđêôơưáàảãạ]/i.test(event.key)) garbled = true;
      last = now;
    }
  });
  scan.addEventListener("input", () => { if (fast > 8 && scan.value.includes("|") && /\|[^|]*[ôâêươđ]\d/i.test(scan.value)) garbled = true; });
  scan.form?.addEventListener("submit", (event) => {
    if (garbled) { event.preventDefault(); event.stopImmediatePropagation(); $("[data-garbled]")?.removeAttribute("hidden"); scan.value = ""; garbled = false; fast = 0; }
  }, true);
  if (!$("[data-autofocus], [autofocus]")) scan.focus();
}
($("[data-autofocus]") || $(".is-invalid"))?.focus();

// --- choice lists and tables by arrows ------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  if (!["ArrowDown", "ArrowUp", "Enter"].includes(event.key) || event.ctrlKey || event.altKey) return;
  const rows = event.target.closest("[data-rows]");
  if (!rows || inText(event.target)) return;
  const items = $$("tr[data-href], [role=option]:not([aria-disabled=true])", rows);
  const at = items.indexOf(event.target.closest("tr, [role=option]"));
  if (event.key === "Enter") { if (at >= 0) { event.preventDefault(); items[at].dataset.href ? (location.href = items[at].dataset.href) : items[at].click(); } return; }
  event.preventDefault();
  items[Math.max(0, Math.min(items.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
});
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, button, input, select")) location.href = row.dataset.href;
  const pick = event.target.closest("[data-pick]");
  if (pick && pick.getAttribute("aria-disabled") !== "true") choose(pick);
});
function choose(option) {
  const group = option.closest("[role=listbox]");
  $$("[data-pick]", group).forEach((n) => { n.setAttribute("aria-selected", n === option ? "true" : "false"); n.tabIndex = n === option ? 0 : -1; });
  const target = document.getElementById(group.dataset.target);
  if (target) { target.value = option.dataset.pick; target.dispatchEvent(new Event("change", { bubbles: true })); }
  for (const [name, value] of Object.entries(JSON.parse(option.dataset.show || "{}"))) $$(`[data-shows="${name}"]`).forEach((n) => { n.textContent = value; });
}
document.addEventListener("keydown", (event) => {
  const list = $("[role=listbox][data-digits]");
  if (!list || event.ctrlKey || event.altKey || event.metaKey || !/^[1-9]$/.test(event.key)) return;
  const scanEmpty = document.activeElement === scan && !scan.value;
  if (inText(document.activeElement) && !scanEmpty) return;
  const option = $$("[data-pick]", list)[Number(event.key) - 1];
  if (option) { event.preventDefault(); choose(option); }
});
document.addEventListener("keydown", (event) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || event.target !== scan || event.altKey) return;
  const list = $("[role=listbox][data-digits]");
  if (!list || scan.value) return;
  event.preventDefault();
  const options = $$("[data-pick]:not([aria-disabled=true])", list);
  const at = options.findIndex((n) => n.getAttribute("aria-selected") === "true");
  const next = options[Math.max(0, Math.min(options.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))];
  if (next) { choose(next); next.scrollIntoView({ block: "nearest" }); }
});

// --- search as you type ---------------------------------------------------------------------------------------------------
function combo(root) {
  const field = $("input[role=combobox]", root); const list = $(".list", root); const hidden = $("input[type=hidden]", root);
  let rows = []; let at = -1; let timer = 0; let asked = 0;
  const close = () => { list.hidden = true; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); at = -1; };
  const mark = (index) => {
    at = index;
    $$("[role=option]", list).forEach((n, i) => { n.setAttribute("aria-selected", i === at ? "true" : "false"); if (i === at) { field.setAttribute("aria-activedescendant", n.id); n.scrollIntoView({ block: "nearest" }); } });
  };
  const draw = () => {
    list.replaceChildren();
    if (!rows.length) { const none = document.createElement("div"); none.className = "none"; none.textContent = words.none || ""; list.append(none); }
    rows.forEach((row, i) => {
      const option = document.createElement("div");
      option.className = "opt"; option.id = `${list.id}-${i}`; option.setAttribute("role", "option");
      if (row.disabled) option.setAttribute("aria-disabled", "true");
      for (const [cls, text] of [["code", row.code], ["label", row.label], ["side", row.detail]]) { const cell = document.createElement("span"); cell.className = cls; cell.textContent = text || ""; option.append(cell); }
      option.addEventListener("mousedown", (event) => { event.preventDefault(); pick(i); });
      list.append(option);
    });
    list.hidden = false; field.setAttribute("aria-expanded", "true"); mark(rows.length ? 0 : -1);
  };
  const ask = async () => {
    const text = field.value.trim();
    if (text.length < 2) { close(); return; }
    const mine = ++asked;
    const url = new URL(root.dataset.url, location.href); url.searchParams.set("q", text);
    const response = await fetch(url, { headers: { Accept: "application/json", "X-Background": "1" } }).catch(() => null);
    if (!response?.ok || mine !== asked) return;
    const answer = await response.json();
    rows = answer.items || answer; draw();
  };
  const pick = (index) => {
    const row = rows[index];
    if (!row || row.disabled) return;
    if (hidden) hidden.value = row.id;
    field.value = root.dataset.clear !== undefined ? "" : row.label;
    close();
    root.dispatchEvent(new CustomEvent("combo:pick", { bubbles: true, detail: row }));
    if (root.dataset.submit !== undefined) field.form.requestSubmit();
  };
  field.addEventListener("input", () => { if (hidden && root.dataset.clear === undefined) hidden.value = ""; window.clearTimeout(timer); timer = window.setTimeout(ask, 120); });
  field.addEventListener("blur", () => window.setTimeout(close, 150));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) { event.preventDefault(); event.stopPropagation(); close(); return; }
    if (event.key === "Enter" && !list.hidden) { event.preventDefault(); pick(Math.max(0, at)); return; }
    if (event.key === "Enter" && root.dataset.submit === undefined) { event.preventDefault(); window.clearTimeout(timer); ask(); return; }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { if (list.hidden) { ask(); return; } event.preventDefault(); mark(Math.max(0, Math.min(rows.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))); }
  });
}
const startCombos = (root = document) => $$("[data-combo]", root).forEach((n) => { if (!n.dataset.ready) { n.dataset.ready = "1"; combo(n); } });
startCombos();

// --- drafts: what is typed is on the server every few seconds ---------------------------------------------------------------
$$("form[data-autosave]").forEach((form) => {
  const status = $(form.dataset.status || "[data-draft-status]"); let dirty = false; let busy = false; let counter = Date.now();
  const say = (text, tone) => { if (status) { status.textContent = text; status.className = `link-state ${tone || ""}`; } };
  const fields = () => Object.fromEntries([...new FormData(form)].filter(([name]) => !["csrf_token", "idempotency_key"].includes(name)));
  const save = async (last = false) => {
    if (!dirty || (busy && !last)) return;
    dirty = false; busy = true; counter = Math.max(counter + 1, Date.now());
    try {
      const result = await send(form.dataset.autosave, { data: { fields: fields(), counter }, background: true, keepalive: last });
      if (result.ok) say(`${words.saved} ${result.answer.saved_at || ""}`, "good"); else { dirty = true; say(words.unsaved, "warn"); }
    } catch { dirty = true; say(words.unsaved, "warn"); } finally { busy = false; }
  };
  form.addEventListener("input", () => { dirty = true; });
  form.addEventListener("combo:pick", () => { dirty = true; });
  form.addEventListener("focusout", () => save());
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(true); });
  window.addEventListener("pagehide", () => save(true));
  form.addEventListener("submit", () => { dirty = false; });
  window.setInterval(save, Number(form.dataset.autosaveMs || 5000));
  form.addEventListener("draft:touch", () => { dirty = true; });
});

// --- live parts -------------------------------------------------------------------------------------------------------------
$$("[data-poll-url]").forEach((part) => {
  let version = part.dataset.version || ""; let failures = 0;
  const connection = $("[data-connection] span");
  const tick = async () => {
    try {
      const url = new URL(part.dataset.pollUrl, location.href); url.searchParams.set("version", version);
      const response = await fetch(url, { headers: { "X-Background": "1", "HX-Request": "true" } });
      if (response.status === 423) { showLock(); return; }
      if (failures && connection && words.online) connection.textContent = words.online;
      failures = 0;
      if (response.status === 200 && response.headers.get("X-Version")) {
        version = response.headers.get("X-Version");
        const focused = document.activeElement?.id;
        part.innerHTML = await response.text();
        startCombos(part);
        if (focused) document.getElementById(focused)?.focus();
      }
    } catch { failures += 1; if (connection && failures > 1) { connection.textContent = words.offline; connection.parentElement.className = "link-state warn"; } }
  };
  const loop = () => { window.setTimeout(async () => { if (!document.hidden || Math.random() < 0.085) await tick(); loop(); }, Number(part.dataset.pollMs || 5000)); };
  loop();
});
$$("[data-progress-url]").forEach((part) => {
  const bar = $("progress", part); const text = $("[data-progress-text]", part);
  const loop = async () => {
    const result = await send(part.dataset.progressUrl, { method: "GET", background: true }).catch(() => null);
    if (result?.ok) {
      bar.max = result.answer.total || 1; bar.value = result.answer.done; text.textContent = result.answer.text;
      if (result.answer.finished) { if (part.dataset.reload !== undefined) location.reload(); return; }
    }
    window.setTimeout(loop, 1000);
  };
  loop();
});

// --- printing: straight from stored bytes -------------------------------------------------------------------------------------
function print(url) {
  $("#print-frame")?.remove();
  const frame = document.createElement("iframe");
  frame.id = "print-frame"; frame.hidden = true; frame.src = url;
  frame.addEventListener("load", () => { try { frame.contentWindow.print(); } catch { window.open(url, "_blank", "noopener"); } });
  body.append(frame);
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-print]");
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); print(link.href); }
});
if (body.dataset.printNow) print(body.dataset.printNow);
const printNow = $("[data-print-now]");
if (printNow) print(printNow.dataset.printNow);

// --- lock: the page stays, typed text stays -------------------------------------------------------------------------------------
let seen = Date.now(); let asking = false;
for (const kind of ["keydown", "pointerdown", "wheel"]) document.addEventListener(kind, () => { seen = Date.now(); }, { passive: true });
function showLock() {
  const dialog = $("#lock-dialog");
  if (!dialog || dialog.open) return;
  $$("dialog[open]").forEach((n) => n.close());
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal(); $("input", dialog).value = ""; $("input", dialog).focus();
}
$("[data-lock-form]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const dialog = $("#lock-dialog"); const field = $("input", dialog); const problem = $("[data-error]", dialog);
  const response = await fetch(body.dataset.unlockUrl, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": token(), Accept: "application/json" }, body: JSON.stringify({ password: field.value }) }).catch(() => null);
  if (response?.ok) { problem.hidden = true; field.value = ""; seen = Date.now(); dialog.close(); return; }
  const answer = await response?.json().catch(() => ({})) || {};
  problem.textContent = answer.message || words.wrong; problem.hidden = false; field.select();
});
const idle = Number(body.dataset.idleSeconds || 0);
if (idle) window.setInterval(() => {
  const rest = (Date.now() - seen) / 1000; const ending = $("#ending-dialog");
  if (rest >= idle) { ending?.close(); showLock(); send(body.dataset.lockUrl, { background: true }).catch(() => null); seen = Date.now() - (idle - 1) * 1000; }
  else if (rest >= idle - 120 && !asking && ending && !$("dialog[open]")) { asking = true; ending.showModal(); }
}, 1000);
$("[data-stay]")?.addEventListener("click", () => { asking = false; seen = Date.now(); $("#ending-dialog").close(); });

// --- signing PIN ------------------------------------------------------------------------------------------------------------------
let afterPin = null;
function askPin(next) {
  const dialog = $("#pin-dialog");
  if (!dialog) { next(); return; }
  send(`${body.dataset.proveUrl}/fresh`, { method: "GET", background: true }).then((result) => {
    if (result.ok && result.answer.fresh) { next(); return; }
    afterPin = next; $("input", dialog).value = ""; $("[data-error]", dialog).hidden = true; dialog.showModal(); $("input", dialog).focus();
  });
}
$("[data-pin-form]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const dialog = $("#pin-dialog"); const field = $("input", dialog); const problem = $("[data-error]", dialog);
  const result = await send(body.dataset.proveUrl, { data: { pin: field.value } }).catch(() => ({ ok: false, answer: {} }));
  if (result.ok) { dialog.close(); const next = afterPin; afterPin = null; next?.(); return; }
  problem.textContent = result.answer.message || words.failed; problem.hidden = false; field.select();
});

// --- small things -------------------------------------------------------------------------------------------------------------------
const clock = $("[data-clock]");
if (clock) { const show = () => { clock.textContent = new Intl.DateTimeFormat("vi-VN", { timeZone: "Asia/Ho_Chi_Minh", day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date()).replace(/^(\d\d:\d\d) (.*)$/, "$2 $1"); }; show(); window.setInterval(show, 15000); }
const undo = $("[data-undo]");
if (undo) window.setTimeout(() => undo.remove(), Number(undo.dataset.undoMs || 600000));
document.addEventListener("click", (event) => {
  const fill = event.target.closest("[data-fill]");
  if (!fill) return;
  const target = document.getElementById(fill.dataset.for);
  if (target.tagName === "TEXTAREA" && target.value.trim()) target.value += (fill.dataset.join || "\n") + fill.dataset.fill; else target.value = fill.dataset.fill;
  target.dispatchEvent(new Event("input", { bubbles: true })); target.focus();
  if (fill.dataset.then === "submit") target.form.requestSubmit();
});
document.addEventListener("click", (event) => {
  const more = event.target.closest("[data-toggle]");
  if (more) { const part = document.getElementById(more.dataset.toggle); part.hidden = !part.hidden; more.setAttribute("aria-expanded", String(!part.hidden)); if (!part.hidden) $("input, textarea, select", part)?.focus(); }
});
$$("input[type=password]").forEach((field) => field.addEventListener("keyup", (event) => { const capsNote = $("[data-caps]"); if (capsNote) capsNote.hidden = !event.getModifierState?.("CapsLock"); }));
document.addEventListener("click", (event) => {
  const demo = event.target.closest("[data-demo-user]");
  if (demo) { $("#username").value = demo.dataset.demoUser; $("#password").value = demo.dataset.demoPassword; demo.closest("main").querySelector("form[data-login]").requestSubmit(); }
});
