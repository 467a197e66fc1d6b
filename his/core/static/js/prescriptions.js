// The prescription editor: every change is one request; the server answers with the page, of which the marked parts
// (data-swap) are exchanged. Without this file the page works as a plain form.

const form = document.getElementById("rx-form");
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const inText = (node) => node && ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName);

if (form && document.getElementById("rx-add")) {
  let busy = null; let again = null; let dirty = false; let selected = 0; let removed = null; let undoTimer = 0;
  const values = () => new Map([...new FormData(form)].map(([name, value]) => [name, String(value)]));

  function select(row) {
    selected = row;
    $$("tr.rxrow", form).forEach((n) => n.classList.toggle("is-selected", Number(n.dataset.row) === row));
    $$("[data-dose-for]").forEach((n) => { n.hidden = Number(n.dataset.doseFor) !== row; });
  }

  function swap(html, before) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const typed = values();
    const focused = document.activeElement; const id = focused?.id; const part = id && focused.selectionStart !== null ? focused.selectionStart : null;
    const parts = $$("[data-swap]");
    if (!fresh.getElementById("rx-lines")) { $("#rx-notes").replaceChildren(...fresh.body.childNodes); return false; }
    for (const node of parts) { const other = fresh.getElementById(node.id); if (other) node.replaceChildren(...other.childNodes); }
    // What was typed while the answer was on its way stays typed and is sent next.
    let late = false;
    for (const [name, value] of typed) {
      if (before.get(name) === value || ["do", "version", "prescription_id", "add_drug", "csrf_token"].includes(name)) continue;
      const field = form.elements[name];
      if (field && "value" in field && field.value !== value) { field.value = value; late = true; }
    }
    if (id && document.activeElement?.id !== id) {
      const field = document.getElementById(id);
      field?.focus();
      if (field && part !== null) { try { field.setSelectionRange(part, part); } catch { field.select?.(); } }
    }
    select(Math.min(selected, $$("tr.rxrow", form).length - 1));
    return late;
  }

  // A removed line can be brought back for ten seconds: the form as it was is sent again under the present version.
  function offerUndo(data) {
    removed = data;
    const line = document.getElementById("rx-undo");
    line.hidden = !data;
    window.clearTimeout(undoTimer);
    if (data) undoTimer = window.setTimeout(() => offerUndo(null), 10000);
  }
  $("#rx-undo button")?.addEventListener("click", () => { if (removed) run("restore", removed); });

  async function post(name, value) {
    const before = values();
    const restoring = name === "restore";
    const data = restoring ? value : new FormData(form);
    if (restoring) { for (const field of ["version", "prescription_id"]) data.set(field, form.elements[field].value); name = "do"; value = "save"; }
    data.set("do", value || "save");
    if (name && name !== "do") data.set(name, value);
    dirty = false;
    form.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.action, { method: "POST", body: data, headers: { "HX-Request": "true", "X-Background": "0" }, credentials: "same-origin" });
      if (response.status === 423 || response.status === 401) { location.reload(); return; }
      const html = await response.text();
      const add = $("input[name=add_drug]", form);
      const added = Boolean(add?.value);
      const ok = response.ok;
      if (ok) { if (String(value).startsWith("remove:")) { data.delete("do"); offerUndo(data); } else offerUndo(null); }
      const late = swap(html, before);
      if (add) add.value = "";
      if (ok && added) { const rows = $$("tr.rxrow", form); const mine = rows.find((row) => $("input[type=hidden]", row)?.value === data.get("add_drug")) || rows.at(-1); if (mine) { select(Number(mine.dataset.row)); const dose = $("[data-dose]", mine); dose?.focus(); dose?.select(); } }
      if (!ok) $("#rx-notes .err-summary, #rx-lines .is-invalid:not([data-reason-text])")?.focus();
      if (late) { dirty = true; again = again || ["do", "save"]; }
    } catch {
      dirty = true;
      const words = JSON.parse($("#i18n")?.textContent || "{}");
      const note = document.createElement("div"); note.className = "note warn"; note.setAttribute("role", "alert"); note.textContent = words.offline || "";
      $("#rx-notes").replaceChildren(note);
    } finally { form.removeAttribute("aria-busy"); }
  }

  async function run(name, value) {
    if (busy) { again = [name, value]; await busy; return; }
    busy = (async () => {
      await post(name, value);
      while (again) { const next = again; again = null; await post(...next); }
    })();
    try { await busy; } finally { busy = null; }
  }

  form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); run(event.submitter?.name || "do", event.submitter?.value || "save"); });
  form.addEventListener("combo:pick", (event) => { event.stopPropagation(); const hidden = $("input[name=add_drug]", form); hidden.value = event.detail.id; $("#rx-add").value = ""; run("do", "save"); });
  form.addEventListener("input", (event) => { if (event.target.closest("[data-live]")) dirty = true; });
  form.addEventListener("change", (event) => { if (event.target.closest("[data-live]")) { dirty = true; window.setTimeout(() => run("do", "save"), 0); } });
  form.addEventListener("focusin", (event) => { const row = event.target.closest("tr.rxrow"); if (row) select(Number(row.dataset.row)); });
  form.addEventListener("click", (event) => { const row = event.target.closest("tr.rxrow"); if (row) select(Number(row.dataset.row)); });

  // Signing waits for what is still typed or on its way, so that what is signed is what is seen.
  document.addEventListener("submit", async (event) => {
    if (event.target.id !== "sign-form" || !(dirty || busy)) return;
    event.preventDefault(); event.stopImmediatePropagation();
    if (busy) await busy;
    if (dirty) await run("do", "save");
    const fresh = document.getElementById("sign-form");
    if (fresh) fresh.requestSubmit($("button[type=submit]", fresh)); else $("#rx-bar [aria-disabled=true]")?.focus();
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || $("dialog[open]")) return;
    if (event.key === "+" && !inText(document.activeElement)) { event.preventDefault(); document.getElementById("rx-add").focus(); return; }
    if (event.key === "Delete" && event.ctrlKey) {
      const row = document.activeElement?.closest?.("tr.rxrow") || $(`tr.rxrow[data-row="${selected}"]`, form);
      if (row) { event.preventDefault(); run("do", `remove:${row.dataset.row}`); }
      return;
    }
    if (/^[1-9]$/.test(event.key) && !event.ctrlKey && !event.altKey && !inText(document.activeElement)) {
      const place = document.activeElement?.closest?.("tr.det, .note") || document;
      const chip = $$("[data-reasons] button", place)[Number(event.key) - 1];
      if (chip && (place !== document || $$("[data-reasons]").length === 1)) { event.preventDefault(); chip.click(); }
    }
  });
  select(0);
  if (!$(".err-summary") && !$$("tr.rxrow", form).length) document.getElementById("rx-add").focus();
}
