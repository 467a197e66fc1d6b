// The desk: the scan field chooses clinics, Enter in the empty field registers, the figures follow route and clinic.
// Without this file the page still works as plain forms.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const scan = $("[data-scan-field]");
const register = $("form[data-register]");
const PAUSE = 400;

// --- the right column follows what is chosen -----------------------------------------------------------------------------
const fees = register ? JSON.parse(register.dataset.fees) : {};

function routeChosen() {
  const picked = $("input[name=route]:checked", register);
  const choice = picked ? picked.value : Object.keys(fees)[0];
  return choice === "" && $("[data-emergency]", register)?.checked && fees.CAP_CUU ? "CAP_CUU" : choice;
}

function show() {
  const room = $("input[name=room_code]:checked", register);
  const subject = fees[routeChosen()];
  if (room) for (const [name, value] of Object.entries(JSON.parse(room.dataset.room))) $$(`[data-shows="${name}"]`, register).forEach((n) => { n.textContent = value; });
  if (!subject) return;
  const values = { code: subject.code, reason: subject.reason, source: subject.source, ...(room ? subject.fees[room.dataset.exam] : {}) };
  for (const [name, value] of Object.entries(values)) $$(`[data-fee="${name}"]`, register).forEach((n) => { n.textContent = value; });
}

if (register) {
  register.addEventListener("change", (event) => {
    const { name } = event.target;
    if (name === "route") $$("[data-paper]", register).forEach((n) => { n.hidden = !n.dataset.paper.split(" ").includes(event.target.value); });
    if (["route", "room_code", "is_emergency"].includes(name)) show();
    if (name === "route" && ["CHUYEN", "HEN"].includes(event.target.value)) $("#incoming_paper_number")?.focus();
  });
  // The live list is swapped as a whole: what was chosen stays chosen.
  let chosen = $("input[name=room_code]:checked", register)?.value || "";
  register.addEventListener("change", (event) => { if (event.target.name === "room_code") chosen = event.target.value; });
  const clinics = $("[data-clinics]", register);
  new MutationObserver(() => {
    const again = $(`input[name=room_code][value="${CSS.escape(chosen)}"]:not(:disabled)`, clinics);
    if (again && !again.checked) { again.checked = true; }
    show();
  }).observe(clinics, { childList: true });
  // Labels of what a combobox picked travel with the form, so that a page that comes back still shows them.
  register.addEventListener("combo:pick", (event) => {
    const label = $(`[data-label-of="${event.target.querySelector("input").id}"]`, register);
    if (label) label.value = event.detail.label;
  });
  register.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-commune]");
    if (!chip) return;
    $("input[name=commune_code]", register).value = chip.dataset.commune;
    $("#commune").value = chip.dataset.name;
    $("[data-label-of=commune]", register).value = chip.dataset.name;
  });
}

// --- the scan field ---------------------------------------------------------------------------------------------------------
function pick(index) {
  const rooms = $$("input[name=room_code]", register);
  const room = rooms[index];
  if (!room || room.disabled) return;
  room.checked = true;
  room.dispatchEvent(new Event("change", { bubbles: true }));
  room.closest("label").scrollIntoView({ block: "nearest" });
}

function step(by) {
  const rooms = $$("input[name=room_code]:not(:disabled)", register);
  const at = rooms.findIndex((n) => n.checked);
  const next = rooms[Math.max(0, Math.min(rooms.length - 1, at + by))];
  if (next) pick($$("input[name=room_code]", register).indexOf(next));
}

if (scan) {
  if (!$("[data-autofocus]") && !$(".is-invalid")) { scan.focus(); scan.select(); }
  let timer = 0;
  const digit = () => (/^[0-9]$/.test(scan.value) ? (Number(scan.value) || 10) - 1 : -1);
  const hit = (index) => { const button = $$(".choice.hit")[index]; if (button) { button.form.requestSubmit(); return true; } return false; };
  scan.addEventListener("input", () => {
    // A digit alone, followed by nothing, is a choice; a digit that begins a number is a number.
    window.clearTimeout(timer);
    if (digit() < 0) return;
    timer = window.setTimeout(() => {
      const index = digit();
      if (index < 0) return;
      scan.value = "";
      if (register) pick(index); else hit(index);
    }, PAUSE);
  });
  scan.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey) return;
    if (register && !scan.value && (event.key === "ArrowDown" || event.key === "ArrowUp")) { event.preventDefault(); step(event.key === "ArrowDown" ? 1 : -1); }
    if (!register && event.key === "ArrowDown") { event.preventDefault(); $(".choice.hit")?.focus(); }
    if (event.key === "Escape") {
      event.preventDefault(); event.stopPropagation();
      if (scan.value) { scan.value = ""; return; }
      if (register || $(".choice.hit")) $("[data-desk-clear]")?.click();
    }
  });
  scan.form.addEventListener("submit", (event) => {
    window.clearTimeout(timer);
    if (scan.value.trim()) {
      if (digit() >= 0 && (register || $(".choice.hit"))) {
        event.preventDefault(); event.stopImmediatePropagation();
        const index = digit(); scan.value = "";
        if (register) pick(index); else hit(index);
      }
      return;
    }
    event.preventDefault(); event.stopImmediatePropagation();
    if (register) register.requestSubmit($("[data-register-print]", register));
  }, true);
}

// --- the list of results: arrows, digits ------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  const here = event.target.closest?.(".choice.hit");
  if (!here || event.ctrlKey || event.altKey) return;
  const all = $$(".choice.hit");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = all[all.indexOf(here) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) next.focus(); else if (event.key === "ArrowUp") scan?.focus();
  } else if (event.key.length === 1 && event.key !== " " && scan) { scan.value = ""; scan.focus(); }
});

// --- a new patient: who may be the same person, and whether a guardian is needed ------------------------------------------------
const probes = $$("[data-probe]");
if (probes.length) {
  let asked = 0;
  const birthText = () => $("#birth_on").value.trim();
  const months = () => {
    const match = /^(?:(\d{1,2})\/)?(?:(\d{1,2})\/)?(\d{4})$/.exec(birthText());
    if (!match) return null;
    const now = new Date();
    const month = match[2] ? Number(match[2]) : match[1] ? Number(match[1]) : 1;
    return (now.getFullYear() - Number(match[3])) * 12 + now.getMonth() + 1 - month;
  };
  const probe = async () => {
    const age = months();
    const guardian = $("[data-guardian]");
    if (guardian && age !== null) guardian.hidden = age >= 72;
    if ($("#full_name").value.trim().length < 3 || !birthText() || !$("#sex").value) return;
    const mine = ++asked;
    const data = new FormData(register);
    const response = await fetch(register.dataset.probeUrl, { method: "POST", body: data, headers: { "X-Background": "1", "HX-Request": "true", "X-CSRFToken": data.get("csrf_token") || "" } }).catch(() => null);
    if (!response?.ok || mine !== asked) return;
    const part = $("[data-duplicates]", register);
    part.innerHTML = await response.text();
    const seen = $("input[name=seen]", register);
    if (part.textContent.trim()) seen.value = "1";
  };
  probes.forEach((node) => node.addEventListener("change", () => window.setTimeout(probe, 0)));
}
