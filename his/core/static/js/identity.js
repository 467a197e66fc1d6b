// Sign-in page: show the password while it is typed.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show-password]");
  if (!button) return;
  const field = document.getElementById(button.dataset.showPassword);
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
  field.focus();
});
