// The referral screen: the paper in the middle is as tall as it is; the commitment is asked only for a transfer on request.

const sheet = document.querySelector("[data-sheet]");
function fit() {
  const inside = sheet.contentDocument?.documentElement;
  if (inside) sheet.style.height = `${Math.max(inside.scrollHeight + 8, 400)}px`;
}
if (sheet) {
  sheet.addEventListener("load", () => { fit(); sheet.contentDocument?.fonts?.ready.then(fit); });
  if (sheet.contentDocument?.readyState === "complete") fit();
}

const form = document.getElementById("ref-form");
if (form) {
  const commitment = form.querySelector(".commitment");
  const show = () => { commitment.hidden = form.elements.reason.value !== "3"; };
  form.addEventListener("change", show);
  show();
  // Leaving with unsaved words asks first.
  let dirty = false;
  form.addEventListener("input", () => { dirty = true; });
  form.addEventListener("submit", () => { dirty = false; });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
}
