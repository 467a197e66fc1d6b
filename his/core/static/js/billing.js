// The cashier's payment part: change is counted while typing, common notes are one click away.

const form = document.querySelector("[data-pay]");
const digits = (text) => Number(text.replace(/\D/g, "") || 0);
const money = (amount) => `${String(amount).replace(/\B(?=(\d{3})+(?!\d))/g, ".")} đ`;

if (form && form.querySelector("#tendered")) {
  const payable = Number(form.dataset.payable);
  const field = form.querySelector("#tendered");
  const out = form.querySelector("[data-change]");
  const show = () => {
    const given = digits(field.value);
    if (!field.value.trim()) { out.textContent = "–"; out.className = "change tnum"; return; }
    const back = given - payable;
    out.textContent = back < 0 ? `${out.dataset.missing} ${money(-back)}` : money(back);
    out.className = `change tnum ${back < 0 ? "warn" : "ok"}`;
  };
  field.addEventListener("input", () => {
    const plain = field.value.replace(/\D/g, "");
    const atEnd = field.selectionStart === field.value.length;
    if (atEnd && plain) field.value = plain.replace(/\B(?=(\d{3})+(?!\d))/g, ".");
    show();
  });
  const cash = () => form.querySelector('input[name="method"]:checked')?.value === "cash";
  const toggle = () => form.querySelectorAll("[data-cash]").forEach((part) => { part.hidden = !cash(); });
  form.querySelectorAll('input[name="method"]').forEach((radio) => radio.addEventListener("change", toggle));
  const notes = form.querySelector("[data-notes]");
  const steps = [1000, 5000, 10000, 50000, 100000, 200000, 500000];
  const round = [...new Set(steps.map((step) => Math.ceil(payable / step) * step))].filter((amount) => amount >= payable).slice(0, 4);
  round.forEach((amount) => {
    const chip = document.createElement("button");
    chip.type = "button"; chip.className = "chip tnum"; chip.textContent = money(amount);
    chip.addEventListener("click", () => { field.value = money(amount).replace(" đ", ""); show(); field.focus(); });
    notes.append(chip);
  });
  toggle();
  show();
}
