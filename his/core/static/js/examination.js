// The work list, the doctor's page and the measurements: what goes beyond the behaviour every page has.
import { $, $$, call, fill, say, send, swap, toast, words } from "./app.js";

// --- work list: the chosen row shows its quick view; the list stays put while it changes ------------------------------------
const quickPart = $("#quick");
if (quickPart) {
  let chosen = $("tr[data-quick].is-selected")?.id || ""; let timer = 0; let asked = 0;
  const choose = (row, now = false) => {
    if (!row || row.id === chosen) return;
    chosen = row.id;
    mark();
    window.clearTimeout(timer);
    timer = window.setTimeout(async () => {
      asked += 1; const mine = asked;
      const response = await call(row.dataset.quick, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (response?.ok && mine === asked) swap(quickPart, await response.text());
    }, now ? 0 : 180);
  };
  const mark = () => {
    const rows = $$("tr[data-quick]");
    rows.forEach((n) => { const on = n.id === chosen; n.classList.toggle("is-selected", on); n.tabIndex = on ? 0 : -1; if (on) n.setAttribute("aria-current", "true"); else n.removeAttribute("aria-current"); });
    if (!rows.some((n) => n.id === chosen) && rows[0]) rows[0].tabIndex = 0;
  };
  document.addEventListener("focusin", (event) => choose(event.target.closest?.("tr[data-quick]")));
  document.addEventListener("click", (event) => { const row = event.target.closest("tr[data-quick]"); if (row) { row.focus(); choose(row, true); } });
  document.addEventListener("dblclick", (event) => { if (event.target.closest("tr[data-quick]")) $('[data-key="Enter"]', quickPart)?.click(); });
  // After a swap the chosen patient stays chosen, wherever the row went.
  document.addEventListener("his:swapped", (event) => { if (event.target.id === "worklist") mark(); });
  if (!document.activeElement || document.activeElement === document.body) $("tr[data-quick].is-selected")?.focus({ preventScroll: true });
}

// --- the note --------------------------------------------------------------------------------------------------------------------
const form = $("#note-form");
if (form) {
  $("[data-draft-save]", form)?.addEventListener("click", (event) => { event.preventDefault(); form.dispatchEvent(new CustomEvent("draft:save")); });

  // "Before signing" follows what is typed; what only the server knows comes with the live part.
  const typed = { findings_missing: () => Boolean($("#findings")?.value.trim()), result_missing: () => Boolean($("#result_code")?.value), discharge_missing: () => Boolean($("#discharge_code")?.value) };
  const judge = () => {
    for (const [code, isThere] of Object.entries(typed)) {
      const item = $(`[data-ready="${code}"]`);
      if (!item) continue;
      const ok = isThere();
      item.classList.toggle("ok", ok); item.classList.toggle("bad", !ok);
      item.toggleAttribute("data-blocks", !ok);
    }
    const sign = $("#conclude");
    if (!sign) return;
    const missing = $$("#part-ready [data-blocks]").map((n) => n.textContent.trim());
    if (missing.length) { sign.setAttribute("aria-disabled", "true"); sign.title = missing.join(", "); } else { sign.removeAttribute("aria-disabled"); sign.title = ""; }
  };
  document.addEventListener("input", (event) => { if (event.target.form === form) judge(); });
  document.addEventListener("change", (event) => { if (event.target.form === form) judge(); });
  document.addEventListener("his:swapped", judge);
  judge();
  // Signing while something is missing leads to the first missing thing.
  document.addEventListener("click", (event) => {
    if (event.target.closest("#conclude[aria-disabled=true]")) $("#part-ready [data-blocks]")?.click();
  }, true);

  // Another page of the same doctor typed meanwhile: both texts, two buttons.
  form.addEventListener("draft:elsewhere", (event) => {
    const box = document.getElementById(form.dataset.conflict);
    const { answer, keep } = event.detail;
    const theirs = answer.fields || {};
    $("[data-message]", box).textContent = answer.message;
    const names = ["history", "past_history", "findings", "conclusion", "advice"];
    $("[data-texts]", box).textContent = names.filter((n) => (theirs[n] || "").trim() !== (document.getElementById(n)?.value || "").trim()).map((n) => `${$(`label[for="${n}"]`)?.textContent.trim() || n}: ${theirs[n] || "–"}`).join("\n");
    box.hidden = false; box.scrollIntoView({ block: "nearest" });
    $$("[data-keep]", box).forEach((button) => {
      button.onclick = () => {
        if (button.dataset.keep === "theirs") for (const [name, value] of Object.entries(theirs)) { const field = document.getElementById(name); if (field && field.form === form) fill(field, value, { replace: true }); }
        box.hidden = true; keep();
      };
    });
  });

  $("[data-last-note]")?.addEventListener("click", async (event) => {
    const result = await send(event.currentTarget.dataset.lastNote, { method: "GET" }).catch(() => null);
    if (!result?.ok) { toast(result?.answer.message || words.failed, "bad"); return; }
    for (const [name, text] of Object.entries(result.answer.fields)) if (text) fill(document.getElementById(name), text);
    toast(result.answer.message);
  });

  // Prescription, referral and papers read the saved note: it is saved on the way there.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest('a[href^="/prescriptions/"], a[href^="/referrals/"]');
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || link.target || link.hasAttribute("data-print")) return;
    event.preventDefault();
    form.dispatchEvent(new CustomEvent("draft:left"));
    const data = new FormData(form);
    const response = await call(form.getAttribute("action"), { method: "POST", body: data, headers: { Accept: "application/json" } }).catch(() => null);
    if (response?.ok) { location.href = link.href; return; }
    form.dispatchEvent(new CustomEvent("draft:back"));
    // A conflict or a wrong date: shown on the page itself.
    if (response) form.requestSubmit(); else toast(words.offline, "bad");
  });
}

// --- measurements: tinted while typing -----------------------------------------------------------------------------------------------
const number = (text) => (text ? Number(String(text).replace(",", ".")) : NaN);
$$("[data-sign]").forEach((row) => {
  const field = $("input", row); const note = $("[data-sign-note]", row);
  const judge = () => {
    const value = number(field.value); const { low, high, hardLow, hardHigh } = field.dataset;
    const impossible = field.value.trim() && (Number.isNaN(value) || value < number(hardLow) || value > number(hardHigh));
    const odd = !impossible && !Number.isNaN(value) && ((low && value < number(low)) || (high && value > number(high)));
    row.classList.toggle("bad-row", Boolean(impossible)); row.classList.toggle("warn-row", Boolean(odd));
    if (odd && note && !note.dataset.said) { note.dataset.said = "1"; say(note.textContent); }
  };
  field.addEventListener("input", judge); judge();
});
// Enter walks through the numbers; the last one saves.
$("#vitals-form")?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.target.tagName !== "INPUT") return;
  const fields = $$("[data-sign] input", event.currentTarget);
  const at = fields.indexOf(event.target);
  if (at >= 0 && at < fields.length - 1) { event.preventDefault(); fields[at + 1].focus(); fields[at + 1].select(); }
});
