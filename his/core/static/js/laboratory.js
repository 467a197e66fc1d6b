// Result entry: Enter and arrows move between indices, every value is judged against its range while typing.
// The server judges again; this is only to see a slip of the finger at once.

const form = document.querySelector("[data-lab]");

if (form) {
  const words = JSON.parse(document.querySelector("[data-words]").dataset.words);
  const rows = [...form.querySelectorAll("[data-index]")];
  const fields = rows.map((row) => row.querySelector("input")).filter(Boolean);
  const critical = document.getElementById("critical-part");
  const kept = critical && !critical.hidden;
  const limit = (row, name) => (row.dataset[name] === "" || row.dataset[name] === undefined ? null : Number(row.dataset[name]));

  const judge = (row, text) => {
    const value = text.trim();
    if (!value) return "";
    if (row.dataset.type !== "num") {
      const low = value.toLowerCase();
      if (/^(âm tính|negative|neg|không|-|bình thường)/.test(low)) return "";
      return /^(dương tính|positive|pos|\d?\+|có|reactive|phản ứng)/.test(low) ? "A" : "";
    }
    if (!/^[<>]?\s*-?\d{1,9}([.,]\d{1,4})?$/.test(value)) return "?";
    const number = Number(value.replace(/[<>\s]/g, "").replace(",", "."));
    const [low, high, lowest, highest] = ["low", "high", "criticalLow", "criticalHigh"].map((name) => limit(row, name));
    if (lowest !== null && number <= lowest) return "LL";
    if (highest !== null && number >= highest) return "HH";
    if (low !== null && (number < low || (value[0] === "<" && number <= low))) return "L";
    if (high !== null && (number > high || (value[0] === ">" && number >= high))) return "H";
    return "";
  };
  const texts = { HH: `↑↑ ${words.critical}`, LL: `↓↓ ${words.critical}`, H: `↑ ${words.high}`, L: `↓ ${words.low}`, A: words.abnormal, "?": words.bad };

  const show = (row) => {
    const field = row.querySelector("input");
    if (!field) return;
    const flag = judge(row, field.value);
    const cell = row.querySelector("[data-flag]");
    row.className = flag === "HH" || flag === "LL" ? "crit" : flag ? "off" : "";
    const mark = document.createElement("span");
    mark.className = flag === "HH" || flag === "LL" || flag === "?" ? "bad strong" : "warn strong";
    mark.textContent = texts[flag] || "";
    cell.replaceChildren(mark);
    row.dataset.flag = flag;
    if (critical) critical.hidden = !rows.some((r) => r.dataset.flag === "HH" || r.dataset.flag === "LL") && !(kept && !fields.length);
  };
  rows.forEach((row) => { show(row); row.addEventListener("input", () => show(row)); });

  // What was typed and not saved must not be released unseen.
  const release = document.querySelector("[data-release]");
  const unsaved = () => {
    if (!release) return;
    release.setAttribute("aria-disabled", "true");
    document.querySelector("[data-unsaved]").hidden = false;
  };
  form.addEventListener("input", unsaved);
  document.querySelectorAll('[form="result-form"]').forEach((part) => part.addEventListener("input", unsaved));
  release?.form.addEventListener("submit", (event) => { if (release.getAttribute("aria-disabled") === "true") { event.preventDefault(); event.stopImmediatePropagation(); } }, true);

  form.addEventListener("keydown", (event) => {
    const at = fields.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.altKey || event.isComposing) return;
    const hasList = event.target.hasAttribute("list");
    if (event.key === "Enter" || (event.key === "ArrowDown" && !hasList)) {
      event.preventDefault();
      if (fields[at + 1]) { fields[at + 1].focus(); fields[at + 1].select(); }
      else if (event.key === "Enter") (critical && !critical.hidden ? document.getElementById("critical_note") : document.querySelector('[data-key="F10"][form="result-form"], [data-key="Ctrl+S"]'))?.focus();
    } else if (event.key === "ArrowUp" && !hasList && fields[at - 1]) { event.preventDefault(); fields[at - 1].focus(); fields[at - 1].select(); }
  });
}
