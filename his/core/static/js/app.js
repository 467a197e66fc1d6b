// Behaviour of every page, by data attributes only (strict content policy: no inline script).
// Pages work as plain forms without this file; it adds keys, drafts, live parts, lock and signing dialogs.
//
// Page scripts import helpers from here: `import { $, send, refresh } from "./app.js"`. The address they use lacks the
// version mark of the layout's own <script>, so the browser may load this file twice: everything that listens runs only
// once per page, and a second copy hands out the helpers of the first.

const first = !window.his;
const kit = first ? (window.his = {}) : window.his;

if (first) {
  const body = document.body;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = JSON.parse($("#i18n")?.textContent || "{}");
  const token = () => $('meta[name="csrf-token"]')?.content || "";
  const after = (ms) => new Promise((done) => { window.setTimeout(done, ms); });

  // --- talking to the server --------------------------------------------------------------------------------------------
  // A background call does not count as activity of the person, unless the person was active since the last call.
  let seen = Date.now();
  let told = Date.now();
  const quiet = (background) => background && seen <= told;

  /** Fetch with the house's headers; a lock opens the lock dialog. Throws only when the server is out of reach. */
  async function call(url, { method = "GET", headers = {}, background = false, ...rest } = {}) {
    const more = { "X-CSRFToken": token(), ...headers };
    if (quiet(background)) more["X-Background"] = "1"; else told = Date.now();
    let response;
    try {
      response = await fetch(url, { method, headers: more, credentials: "same-origin", ...rest });
    } catch (error) { offline(true); throw error; }
    offline(false);
    if (response.status === 423) showLock();
    return response;
  }

  /** Ask the page again for a fresh form token (a new log-in in another tab changes it). */
  async function freshToken() {
    const response = await fetch("/", { headers: { "X-Background": "1" }, credentials: "same-origin" }).catch(() => null);
    if (!response?.ok) return false;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = $('meta[name="csrf-token"]', page)?.content;
    if (!fresh || !$('meta[name="csrf-token"]')) return false;
    $('meta[name="csrf-token"]').content = fresh;
    $$('input[name="csrf_token"]').forEach((n) => { n.value = fresh; });
    return true;
  }

  /** Send JSON, get JSON: `{ ok, status, answer, headers }`. `stay` keeps the page when the session is over. */
  async function send(url, { method = "POST", data = null, background = false, keepalive = false, stay = false, again = true } = {}) {
    const headers = { Accept: "application/json" };
    if (data !== null) headers["Content-Type"] = "application/json";
    const response = await call(url, { method, headers, background, keepalive, body: data === null ? null : JSON.stringify(data) });
    const answer = await response.json().catch(() => ({}));
    if (response.status === 400 && answer.code === "csrf" && again && !keepalive && await freshToken()) {
      return send(url, { method, data, background, keepalive, stay, again: false });
    }
    if (response.status === 401 && !stay && body.dataset.loginUrl) location.href = `${body.dataset.loginUrl}?next=${encodeURIComponent(location.pathname + location.search)}`;
    return { ok: response.ok, status: response.status, answer, headers: response.headers };
  }

  /** Send a form without leaving the page; the answer may be JSON or a page: `{ ok, status, answer, page, message }`. */
  async function sendForm(form, submitter = null) {
    const url = submitter?.getAttribute("formaction") || form.getAttribute("action") || location.href;
    const data = new FormData(form);
    if (submitter?.name) data.set(submitter.name, submitter.value);
    const response = await call(url, { method: "POST", headers: { Accept: "application/json" }, body: data });
    const text = await response.text();
    const isJson = (response.headers.get("Content-Type") || "").includes("json");
    let answer = {}; let page = null;
    if (isJson) { try { answer = JSON.parse(text); } catch { answer = {}; } } else page = new DOMParser().parseFromString(text, "text/html");
    const told_ = answer.findings?.map((f) => f.message).join(" ") || answer.message
      || (page && $$(".field-err span, .err-summary li, .errpage .strong", page).map((n) => n.textContent.trim()).join(" ")) || words.failed;
    return { ok: response.ok, status: response.status, answer, page, message: told_ };
  }

  let away = false;
  function offline(now) {
    if (now === away) return;
    away = now;
    const mark = $("[data-connection]");
    if (mark) {
      const text = $("span", mark);
      if (now) { mark.dataset.was = text.textContent; mark.dataset.tone = mark.className; text.textContent = words.offline_short || words.offline; mark.className = "link-state warn"; } else { text.textContent = mark.dataset.was; mark.className = mark.dataset.tone; }
    }
    $("#offline-strip")?.remove();
    if (now) {
      const strip = document.createElement("div");
      strip.id = "offline-strip"; strip.className = "offline-strip"; strip.setAttribute("role", "status"); strip.textContent = words.offline;
      body.append(strip);
    } else if (words.online) say(words.online);
  }
  window.addEventListener("online", () => $$("[data-poll-url], form[data-autosave]").forEach((n) => n.dispatchEvent(new CustomEvent("his:retry"))));

  // --- saying things to those who listen -----------------------------------------------------------------------------------
  let speaker = null;
  function say(text) {
    if (!speaker) { speaker = document.createElement("div"); speaker.className = "sr"; speaker.setAttribute("role", "status"); speaker.setAttribute("aria-live", "polite"); body.append(speaker); }
    speaker.textContent = text;
  }

  // --- keys -----------------------------------------------------------------------------------------------------------------
  function keyName(event) {
    const parts = [];
    if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
    if (event.altKey) parts.push("Alt");
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (!["Control", "Alt", "Shift", "Meta"].includes(event.key)) parts.push(key);
    return parts.join("+");
  }
  const normal = (key) => key.trim().replace(/\s+/g, "+");
  const inText = (node) => Boolean(node && (node.isContentEditable || ["TEXTAREA", "SELECT"].includes(node.tagName) || (node.tagName === "INPUT" && !["button", "submit", "reset", "checkbox", "radio"].includes(node.type))));
  const visible = (node) => Boolean(node && node.getClientRects().length);

  function press(node) {
    if (node.disabled) return;
    // A click on a button that is switched off says why (below).
    if (inText(node)) node.focus(); else node.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    const name = keyName(event);
    if ($("dialog[open]")) {
      // The browser's own meaning of a function key (help, find, print) must not break out of a dialog.
      if (/^F([1-4]|[89]|10)$/.test(name)) event.preventDefault();
      return;
    }
    if (name === "F1") { event.preventDefault(); showKeys(); return; }
    if (name === "Escape") {
      const back = $$('[data-key="Esc"]').find(visible);
      const scanField = $("[data-scan-field]");
      if (scanField && document.activeElement !== scanField) { event.preventDefault(); scanField.focus(); scanField.select(); return; }
      if (inText(document.activeElement)) { document.activeElement.blur(); return; }
      if (back) { event.preventDefault(); press(back); }
      return;
    }
    if (/^Alt\+[1-9]$/.test(name)) {
      const part = $$(`[data-part="${name.slice(4)}"]`).find(visible);
      if (part) { event.preventDefault(); part.focus(); part.scrollIntoView({ block: "nearest" }); }
      return;
    }
    const focusTarget = $$("[data-key-focus]").find((n) => normal(n.dataset.keyFocus) === name && visible(n));
    if (focusTarget) { event.preventDefault(); focusTarget.focus(); focusTarget.select?.(); return; }
    if (name === "Ctrl+Z" && inText(document.activeElement) && document.activeElement.value) return;
    // A key made of one character belongs to the text while one is being typed.
    if (name.length === 1 && inText(document.activeElement)) return;
    const target = $$("[data-key]").find((n) => normal(n.dataset.key) === name && visible(n));
    if (target && name !== "Enter" && name !== "Esc") { event.preventDefault(); if (!event.repeat) press(target); return; }
    if (name === "Enter" && !event.repeat && !event.target.closest("form, a, button, [data-rows], .combo, textarea, select, summary")) {
      const main = $$('[data-key="Enter"]').find(visible);
      if (main) { event.preventDefault(); press(main); }
    }
  });

  function showKeys() {
    const dialog = $("#keys-dialog");
    if (!dialog || dialog.open) return;
    const list = $("[data-keys-list]", dialog);
    list.replaceChildren(...$$("[data-keybar] > span").map((n) => { const row = n.cloneNode(true); row.className = "row-flex mb-2"; return row; }));
    dialog.showModal();
  }
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close]");
    if (close) close.closest("dialog").close();
    if (event.target.closest("[data-back]")) history.back();
    // A disabled button stays focusable and says why; it does nothing.
    const idleButton = event.target.closest('[aria-disabled="true"]:is(button, a)');
    if (idleButton) { event.preventDefault(); event.stopPropagation(); say(idleButton.title || ""); }
    // A message that names a field leads into that field.
    const jump = event.target.closest('a[href^="#"]');
    if (jump && jump.hash.length > 1 && !idleButton) {
      const target = document.getElementById(decodeURIComponent(jump.hash.slice(1)));
      if (target) { event.preventDefault(); target.scrollIntoView({ block: "center" }); if (!target.matches("a, button, input, select, textarea, [tabindex]")) target.tabIndex = -1; target.focus(); }
    }
  }, true);

  // --- forms: one submit, typed numbers and dates ---------------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.getAttribute("method") === "dialog" || form.hasAttribute("data-repeat")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    const button = event.submitter;
    const wantsPin = form.dataset.needsPin !== undefined || button?.dataset.needsPin !== undefined;
    if (wantsPin && !form.dataset.proved) {
      event.preventDefault();
      askPin(() => { form.dataset.proved = "1"; form.requestSubmit(button || undefined); });
      return;
    }
    delete form.dataset.proved;
    form.dataset.sent = "1";
    if (button?.tagName === "BUTTON") { button.style.minWidth = `${button.offsetWidth}px`; button.setAttribute("aria-busy", "true"); }
    const release = () => { delete form.dataset.sent; button?.removeAttribute("aria-busy"); };
    if (form.hasAttribute("data-live-form")) {
      event.preventDefault();
      submitHere(form, button).finally(release);
      return;
    }
    window.setTimeout(release, 15000);
  });
  window.addEventListener("pageshow", () => $$("form").forEach((f) => { delete f.dataset.sent; delete f.dataset.proved; $$("[aria-busy=true]", f).forEach((b) => b.removeAttribute("aria-busy")); }));

  /** A form that changes part of the page: sent by script, then the live parts are asked for anew; text elsewhere stays. */
  async function submitHere(form, button) {
    const problem = $("[data-form-error]", form); const notes = $("[data-form-notes]", form);
    const result = await sendForm(form, button).catch(() => ({ ok: false, message: words.offline, answer: {} }));
    if (problem) { problem.hidden = result.ok; problem.textContent = result.ok ? "" : result.message; }
    $$(".is-invalid", form).forEach((n) => { n.classList.remove("is-invalid"); n.removeAttribute("aria-invalid"); });
    if (!result.ok) {
      if (!problem) toast(result.message, "bad");
      const wrong = result.answer.findings?.map((f) => form.elements.namedItem(f.field)).find((n) => n?.focus);
      if (wrong) { wrong.classList.add("is-invalid"); wrong.setAttribute("aria-invalid", "true"); wrong.focus(); }
      form.dispatchEvent(new CustomEvent("his:refused", { bubbles: true, detail: result }));
      return;
    }
    if (result.answer.url) { location.href = result.answer.url; return; }
    const fresh = result.answer.next_key; const key = form.elements.namedItem("idempotency_key");
    if (fresh && key) key.value = fresh; else if (key) key.value = [...crypto.getRandomValues(new Uint8Array(18))].map((n) => n.toString(16).padStart(2, "0")).join("");
    if (!form.hasAttribute("data-keep")) form.reset();
    $$("[data-combo] input[type=hidden]", form).forEach((n) => { n.value = ""; });
    if (notes) notes.textContent = (result.answer.notes || []).join(" ");
    if (form.hasAttribute("data-close-on-done")) { form.hidden = true; $(`[data-toggle="${form.id}"]`)?.setAttribute("aria-expanded", "false"); }
    if (result.answer.undo) undoLine(result.answer.undo.text, result.answer.undo.url);
    else if (result.answer.message) toast(result.answer.message, "ok");
    form.dispatchEvent(new CustomEvent("his:done", { bubbles: true, detail: result }));
    await refresh();
  }

  /** A line in the key bar that takes the last act back. */
  function undoLine(text, url) {
    $("[data-undo]")?.remove();
    const form = document.createElement("form");
    form.className = "undo"; form.method = "post"; form.action = url; form.dataset.undo = ""; form.setAttribute("data-live-form", "");
    const csrf = document.createElement("input"); csrf.type = "hidden"; csrf.name = "csrf_token"; csrf.value = token();
    const label = document.createElement("span"); label.textContent = text;
    const button = document.createElement("button"); button.className = "btn btn-sm"; button.type = "submit"; button.dataset.key = "Ctrl+Z"; button.textContent = `${words.undo || ""} `;
    const cap = document.createElement("kbd"); cap.textContent = "Ctrl Z"; button.append(cap);
    form.append(csrf, label, button);
    form.addEventListener("his:done", () => form.remove());
    $("[data-keybar] [data-clock]")?.before(form);
    say(text);
    window.setTimeout(() => form.remove(), 30000);
  }

  /** A passing line in the key bar. */
  function toast(text, tone = "") {
    $("[data-toast]")?.remove();
    const line = document.createElement("span");
    line.dataset.toast = ""; line.className = `toast-line ${tone}`; line.textContent = text;
    if (tone === "bad") line.setAttribute("role", "alert");
    $("[data-keybar] [data-clock]")?.before(line);
    if (tone !== "bad") say(text);
    window.setTimeout(() => line.remove(), 12000);
  }

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
    if (node.matches?.("[data-submit]") && node.form) node.form.requestSubmit();
  });

  // --- scan field -------------------------------------------------------------------------------------------------------------
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
    scan.addEventListener("input", () => {
      if (!scan.value) { garbled = false; fast = 0; }
      if (fast > 8 && scan.value.includes("|") && /\|[^|]*[ôâêươđ]\d/i.test(scan.value)) garbled = true;
    });
    scan.form?.addEventListener("submit", (event) => {
      if (garbled) { event.preventDefault(); event.stopImmediatePropagation(); $("[data-garbled]")?.removeAttribute("hidden"); scan.value = ""; garbled = false; fast = 0; scan.focus(); }
    }, true);
    if (!$("[data-autofocus], [autofocus], .is-invalid")) scan.focus();
  }
  ($("[data-autofocus]") || $(".is-invalid"))?.focus();

  // --- choice lists and tables by arrows ----------------------------------------------------------------------------------------
  const rowItems = (rows) => $$("tr[data-href], tr[data-quick], [role=option]:not([aria-disabled=true])", rows);
  document.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "Enter"].includes(event.key) || event.ctrlKey || event.altKey || event.defaultPrevented) return;
    if ($("dialog[open]")) return;
    let rows = event.target.closest("[data-rows]");
    // From anywhere outside a field the arrows move in the page's one list.
    if (!rows && event.target === body && event.key !== "Enter" && $$("[data-rows]").length === 1) [rows] = $$("[data-rows]");
    if (!rows || inText(event.target) || (event.key === "Enter" && event.target.closest("a, button"))) return;
    const items = rowItems(rows);
    if (!items.length) return;
    const here = event.target.closest("tr, [role=option]");
    const at = here ? items.indexOf(here) : items.findIndex((n) => n.classList.contains("is-selected"));
    if (event.key === "Enter") {
      if (at < 0 || event.repeat) return;
      event.preventDefault();
      if (items[at].dataset.href) location.href = items[at].dataset.href;
      else if (items[at].dataset.quick) { const main = $$('[data-key="Enter"]').find(visible); if (main) press(main); } else items[at].click();
      return;
    }
    event.preventDefault();
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -items.length, End: items.length }[event.key];
    const next = items[Math.max(0, Math.min(items.length - 1, at + step))];
    next.focus(); next.scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-href]");
    if (row && !event.target.closest("a, button, input, select, label") && !String(window.getSelection())) location.href = row.dataset.href;
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
    if (!list || event.ctrlKey || event.altKey || event.metaKey || !/^[1-9]$/.test(event.key) || $("dialog[open]")) return;
    const scanEmpty = document.activeElement === scan && !scan.value;
    if (inText(document.activeElement) && !scanEmpty) return;
    const option = $$("[data-pick]", list)[Number(event.key) - 1];
    if (option && option.getAttribute("aria-disabled") !== "true") { event.preventDefault(); choose(option); }
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

  // --- search as you type (ARIA combobox with list) -------------------------------------------------------------------------------
  // data-combo + data-url; data-submit sends the form on a choice, data-clear empties the field after it, data-free keeps
  // what was typed when nothing was chosen. Fires "combo:pick" with the chosen row.
  let listCount = 0;
  function combo(root) {
    const field = $("input[role=combobox]", root); const list = $(".list", root); const hidden = $("input[type=hidden]", root);
    if (!list.id) { listCount += 1; list.id = `list-${listCount}`; field.setAttribute("aria-controls", list.id); }
    let rows = []; let at = -1; let timer = 0; let asked = 0; let shown = "";
    const isOpen = () => !list.hidden;
    const close = () => { list.hidden = true; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); at = -1; };
    const options = () => $$("[role=option]", list);
    const mark = (index) => {
      at = index;
      options().forEach((n, i) => { n.setAttribute("aria-selected", i === at ? "true" : "false"); if (i === at) { field.setAttribute("aria-activedescendant", n.id); n.scrollIntoView({ block: "nearest" }); } });
    };
    const place = () => {
      // Opens upwards when there is no room below: columns scroll, the page does not.
      const box = (field.closest(".col, .scroll") || document.documentElement).getBoundingClientRect(); const spot = field.getBoundingClientRect();
      const below = Math.min(window.innerHeight, box.bottom) - spot.bottom; const above = spot.top - Math.max(0, box.top);
      list.classList.toggle("above", below < 200 && above > below);
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
      place();
      list.hidden = false; field.setAttribute("aria-expanded", "true");
      mark(rows.findIndex((row) => !row.disabled));
      say(rows.length ? `${rows.length} ${words.results || ""}` : words.none || "");
    };
    const ask = async () => {
      const text = field.value.trim();
      if (text.length < 2) { rows = []; close(); return false; }
      asked += 1; const mine = asked;
      const url = new URL(root.dataset.url, location.href); url.searchParams.set("q", text);
      const response = await call(url, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!response?.ok || mine !== asked) return false;
      const answer = await response.json().catch(() => ({}));
      if (mine !== asked) return false;
      rows = answer.items || (Array.isArray(answer) ? answer : []); shown = text;
      if (document.activeElement === field) draw();
      return true;
    };
    const pick = (index) => {
      const row = rows[index];
      if (!row) return;
      if (row.disabled) { say(row.detail || ""); return; }
      if (hidden) hidden.value = row.id;
      field.value = row.label;
      asked += 1; close();
      root.dispatchEvent(new CustomEvent("combo:pick", { bubbles: true, detail: row }));
      (hidden || field).dispatchEvent(new Event("change", { bubbles: true }));
      if (root.dataset.submit !== undefined) field.form.requestSubmit();
      if (root.dataset.clear !== undefined) { if (root.dataset.submit === undefined) field.value = ""; rows = []; }
    };
    // "j20.9" and Enter faster than the answer: an exact code, or the only result, is meant.
    const pickTyped = async () => {
      window.clearTimeout(timer);
      if (!(shown === field.value.trim() && rows.length) && !(await ask())) return;
      const plain = (text) => String(text || "").toLowerCase().replace(/[^a-z0-9]/g, "");
      const exact = rows.findIndex((row) => plain(row.code) === plain(field.value));
      if (exact >= 0) pick(exact); else if (rows.length === 1) pick(0); else if (rows.length && !isOpen()) draw();
    };
    field.addEventListener("input", () => { if (hidden) hidden.value = ""; window.clearTimeout(timer); timer = window.setTimeout(ask, 120); });
    field.addEventListener("blur", () => window.setTimeout(close, 150));
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") {
        if (isOpen()) { event.preventDefault(); event.stopPropagation(); close(); } else if (field.value) { event.preventDefault(); event.stopPropagation(); field.value = ""; if (hidden) hidden.value = ""; rows = []; field.dispatchEvent(new Event("input", { bubbles: true })); }
        return;
      }
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
        if (isOpen() && at >= 0 && shown === field.value.trim()) { event.preventDefault(); event.stopPropagation(); pick(at); return; }
        if (field.value.trim() && !(hidden?.value)) { event.preventDefault(); event.stopPropagation(); pickTyped(); }
        return;
      }
      if (event.key === "Tab" && isOpen()) { close(); return; }
      if (["ArrowDown", "ArrowUp", "PageDown", "PageUp"].includes(event.key) && !event.altKey) {
        event.preventDefault(); event.stopPropagation();
        if (!isOpen()) { if (rows.length && shown === field.value.trim()) draw(); else ask(); return; }
        const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key];
        mark(Math.max(0, Math.min(rows.length - 1, at + step)));
      }
    });
  }
  const startCombos = (root = document) => $$("[data-combo]", root).forEach((n) => { if (!n.dataset.ready) { n.dataset.ready = "1"; combo(n); } });
  startCombos();

  // --- drafts: what is typed is on the server every few seconds -----------------------------------------------------------------------
  // <form data-autosave=url data-page=key data-base=token>: fields may stand outside the form element (form="…").
  // Packets are numbered 1, 2, … per page; the server ignores older ones and refuses to overwrite what another page of
  // the same person typed meanwhile (409): then both texts are shown and nothing is sent until one is chosen.
  function draft(form) {
    const status = $(form.dataset.status || "[data-draft-status]");
    const every = Number(form.dataset.autosaveMs || 5000); const rest = Number(form.dataset.restMs || 1000);
    let counter = 0; let base = form.dataset.base || ""; let page = form.dataset.page || "";
    let dirty = false; let busy = false; let stopped = false; let leaving = false; let restTimer = 0; let lastSent = 0; let changes = 0;
    if (!page) { page = [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join(""); }
    const mine = (node) => node?.form === form;
    const tell = (text, tone) => { if (!status) return; const slot = $("[data-text]", status) || status; slot.textContent = text; status.className = `${status.className.replace(/\b(good|warn)\b/g, "").trim()} ${tone || ""}`.trim(); };
    const fields = () => { const found = {}; for (const [name, value] of new FormData(form)) if (!["csrf_token", "idempotency_key", "page_key"].includes(name) && typeof value === "string") found[name] = name in found ? `${found[name]}\n${value}` : value; return found; };
    const touch = () => {
      if (leaving) return;
      changes += 1; dirty = true;
      window.clearTimeout(restTimer);
      // After a short rest of the hand, and at least every few seconds while it goes on.
      restTimer = window.setTimeout(save, Date.now() - lastSent > every ? 0 : rest);
    };
    async function save(last = false) {
      if (!dirty || stopped || leaving || (busy && last !== true)) return;
      const upTo = changes; const data = { fields: fields(), counter: (counter += 1), page, base };
      busy = true; lastSent = Date.now();
      let result = null;
      try {
        const text = JSON.stringify(data);
        // A keepalive packet may carry 64 kB at most.
        result = await send(form.dataset.autosave, { data, keepalive: last === true && text.length < 60000, stay: true });
      } catch { result = null; }
      busy = false;
      if (result?.ok) {
        base = result.answer.token || base;
        if (changes === upTo) { dirty = false; tell(`${words.saved} ${result.answer.saved_at || ""}`, "good"); } else { window.clearTimeout(restTimer); restTimer = window.setTimeout(save, rest); }
        return;
      }
      if (result?.status === 409 && result.answer.code === "draft_elsewhere") { stopped = true; tell(words.unsaved, "warn"); form.dispatchEvent(new CustomEvent("draft:elsewhere", { bubbles: true, detail: { answer: result.answer, keep: () => { base = result.answer.token; stopped = false; dirty = true; save(); } } })); return; }
      if (result && [403, 404, 409].includes(result.status)) { stopped = true; tell(words.unsaved, "warn"); toast(result.answer.message || words.failed, "bad"); return; }
      tell(result?.status === 401 ? words.signed_out || words.unsaved : words.unsaved, "warn");
    }
    document.addEventListener("input", (event) => { if (mine(event.target)) touch(); });
    document.addEventListener("change", (event) => { if (mine(event.target)) touch(); });
    document.addEventListener("focusout", (event) => { if (mine(event.target)) save(); });
    document.addEventListener("visibilitychange", () => { if (document.hidden) save(true); });
    window.addEventListener("pagehide", () => save(true));
    window.addEventListener("beforeunload", (event) => { if (dirty && !leaving && (away || stopped)) event.preventDefault(); });
    form.addEventListener("draft:touch", touch);
    form.addEventListener("draft:save", () => { if (!dirty) tell(status?.textContent.trim() ? (status.textContent.trim()) : words.saved, "good"); save(); });
    form.addEventListener("draft:left", () => { leaving = true; window.clearTimeout(restTimer); });
    form.addEventListener("draft:back", () => { leaving = false; });
    form.addEventListener("his:retry", () => save());
    // Sent as a whole: the server closes this page's draft with the note; late packets change nothing.
    // A last packet goes first, for the case that the form itself does not arrive.
    document.addEventListener("submit", (event) => { if (event.target === form && !event.defaultPrevented) { save(true); leaving = true; window.clearTimeout(restTimer); } });
    window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); leaving = false; });
    window.setInterval(() => { if (dirty && Date.now() - lastSent > every) save(); }, 1000);
  }
  $$("form[data-autosave]").forEach(draft);

  // --- live parts ------------------------------------------------------------------------------------------------------------------------
  /** Put new content into a part: focus, caret, typed text and scroll places survive. */
  function swap(part, html) {
    const active = part.contains(document.activeElement) ? document.activeElement : null;
    const focused = active?.id; const caret = active && "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : null;
    const typed = new Map($$("input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea", part).filter((n) => n.id && n.value !== n.defaultValue).map((n) => [n.id, n.value]));
    const open = new Set($$("[data-toggle][aria-expanded=true]", part).map((n) => n.dataset.toggle));
    const scrolls = $$(".scroll", part).map((n) => n.scrollTop);
    if (typeof html === "string") part.innerHTML = html; else part.replaceChildren(...html);
    part.removeAttribute("aria-busy");
    startCombos(part);
    typed.forEach((value, id) => { const node = document.getElementById(id); if (node) node.value = value; });
    open.forEach((id) => { const node = document.getElementById(id); if (node) { node.hidden = false; $(`[data-toggle="${id}"]`)?.setAttribute("aria-expanded", "true"); } });
    $$(".scroll", part).forEach((n, i) => { n.scrollTop = scrolls[i] || 0; });
    if (focused) { const node = document.getElementById(focused); if (node && node !== document.activeElement) { node.focus({ preventScroll: true }); if (caret && caret[0] !== null) { try { node.setSelectionRange(...caret); } catch { /* not a text field */ } } } }
    part.dispatchEvent(new CustomEvent("his:swapped", { bubbles: true }));
  }
  /** Someone is choosing in a list inside: wait with the swap. */
  const isBusyHere = (part) => Boolean($('[role=combobox][aria-expanded="true"]', part));

  const pollers = [];
  /** Run a check now and then: every `active` ms while the page is seen, every minute while it is hidden. */
  function regularly(check, active) {
    let timer = 0; let running = null;
    const run = () => { running ||= Promise.resolve(check()).catch(() => null).finally(() => { running = null; plan(); }); return running; };
    const plan = () => { window.clearTimeout(timer); timer = window.setTimeout(run, document.hidden ? 60000 : active); };
    document.addEventListener("visibilitychange", () => { if (!document.hidden) run(); else plan(); });
    plan();
    pollers.push(run);
    return run;
  }

  function poll(part) {
    let version = part.dataset.version || "";
    const tick = async () => {
      if (isBusyHere(part) || $("#lock-dialog")?.open) return;
      const url = new URL(part.dataset.pollUrl, location.href); url.searchParams.set("version", version);
      const response = await call(url, { headers: { "HX-Request": "true" }, background: true });
      if (response.status === 200 && response.headers.get("X-Version")) {
        const html = await response.text();
        if (isBusyHere(part)) return;
        version = response.headers.get("X-Version"); part.dataset.version = version;
        swap(part, html);
      }
    };
    part.addEventListener("his:retry", regularly(tick, Number(part.dataset.pollMs || 5000)));
  }
  $$("[data-poll-url]").forEach(poll);

  // A group of parts with one version: <div data-live=version-url data-version=… data-own=parts-url> and, anywhere,
  // <div data-part-url> (loaded at once; again after a change unless data-once).
  async function loadPart(part) {
    if (isBusyHere(part)) return;
    const response = await call(part.dataset.partUrl, { headers: { "HX-Request": "true" }, background: true }).catch(() => null);
    if (response?.ok) { swap(part, await response.text()); part.dataset.loaded = "1"; return; }
    if (response && !part.dataset.loaded && response.status !== 423) swap(part, await response.text());
  }
  async function loadOwn(url) {
    const response = await call(url, { headers: { "HX-Request": "true" }, background: true });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    $$("[data-into]", page).forEach((fresh) => { const part = document.getElementById(fresh.dataset.into); if (part && part.innerHTML !== fresh.innerHTML && !isBusyHere(part)) swap(part, fresh.innerHTML); });
  }
  $$("[data-part-url]").forEach(loadPart);
  const group = $("[data-live]");
  if (group) {
    const check = async () => {
      if ($("#lock-dialog")?.open) return;
      const result = await send(group.dataset.live, { method: "GET", background: true, stay: true });
      if (!result.ok || result.answer.version === group.dataset.version) return;
      group.dataset.version = result.answer.version;
      await Promise.all([loadOwn(group.dataset.own), ...$$("[data-part-url]").filter((n) => n.dataset.once === undefined).map(loadPart)]);
    };
    regularly(check, Number(group.dataset.pollMs || 5000));
    if (group.dataset.own) loadOwn(group.dataset.own).catch(() => null);
  }
  /** Ask all live parts now (after something was done on this page). */
  async function refresh() { await Promise.all(pollers.map((run) => run())); }

  $$("[data-progress-url]").forEach((part) => {
    const bar = $("progress", part); const text = $("[data-progress-text]", part);
    const loop = async () => {
      const result = await send(part.dataset.progressUrl, { method: "GET", background: true, stay: true }).catch(() => null);
      if (result?.ok) {
        bar.max = result.answer.total || 1; bar.value = result.answer.done; if (text) text.textContent = result.answer.text || "";
        if (result.answer.finished) { if (part.dataset.reload !== undefined) location.reload(); return; }
      }
      window.setTimeout(loop, document.hidden ? 10000 : 1000);
    };
    loop();
  });

  // --- printing: straight from stored bytes ------------------------------------------------------------------------------------------------
  function print(url) {
    const before = document.activeElement;
    $("#print-frame")?.remove();
    const frame = document.createElement("iframe");
    // Not display:none: a browser does not print what it does not lay out.
    frame.id = "print-frame"; frame.className = "print-frame"; frame.title = "print"; frame.tabIndex = -1; frame.setAttribute("aria-hidden", "true"); frame.src = url;
    frame.addEventListener("load", () => { try { frame.contentWindow.focus(); frame.contentWindow.print(); window.focus(); if (before?.isConnected) before.focus(); } catch { window.open(url, "_blank", "noopener"); } });
    body.append(frame);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-print]");
    if (link && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); print(link.href); }
  });
  if (body.dataset.printNow) print(body.dataset.printNow);
  const printNow = $("[data-print-now]");
  if (printNow) print(printNow.dataset.printNow);

  // --- lock: the page stays, typed text stays ------------------------------------------------------------------------------------------------
  // Tabs of one browser share one session: activity in one keeps the others open, a lock in one locks all.
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("his") : null;
  let locked = false; let asking = false; let toldTabs = 0;
  const lockDialog = $("#lock-dialog"); const endingDialog = $("#ending-dialog");
  const active = () => {
    seen = Date.now();
    if (channel && seen - toldTabs > 3000) { toldTabs = seen; channel.postMessage("active"); }
  };
  for (const kind of ["keydown", "pointerdown", "wheel", "touchstart"]) document.addEventListener(kind, () => { if (!locked) active(); }, { passive: true, capture: true });
  if (channel) {
    channel.onmessage = (event) => {
      if (event.data === "active" && !locked) { seen = Date.now(); if (asking) stay(); }
      if (event.data === "lock") showLock(false);
      if (event.data === "unlock" && locked) opened();
    };
  }
  function showLock(tellTabs = true) {
    if (!lockDialog) return;
    if (!locked && tellTabs) channel?.postMessage("lock");
    locked = true;
    if (lockDialog.open) return;
    $$("dialog[open]").forEach((n) => n.close());
    asking = false;
    lockDialog.showModal(); $("input", lockDialog).value = ""; $("input", lockDialog).focus();
  }
  function opened() {
    locked = false; seen = Date.now();
    if (lockDialog?.open) lockDialog.close();
    // What could not be stored while locked goes now.
    $$("form[data-autosave], [data-poll-url]").forEach((n) => n.dispatchEvent(new CustomEvent("his:retry")));
  }
  if (lockDialog) {
    lockDialog.addEventListener("cancel", (event) => event.preventDefault());
    // Browsers let a second Escape through: the wall comes back.
    lockDialog.addEventListener("close", () => { if (locked) { lockDialog.showModal(); $("input", lockDialog).focus(); } });
  }
  $("[data-lock-form]")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = $("input", lockDialog); const problem = $("[data-error]", lockDialog);
    const response = await fetch(body.dataset.unlockUrl, { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", "X-CSRFToken": token(), Accept: "application/json" }, body: JSON.stringify({ password: field.value }) }).catch(() => null);
    if (response?.ok) { problem.hidden = true; field.value = ""; opened(); channel?.postMessage("unlock"); return; }
    const answer = await response?.json().catch(() => ({})) || {};
    problem.textContent = response ? answer.message || words.wrong : words.offline; problem.hidden = false; field.select();
  });
  const idle = Number(body.dataset.idleSeconds || 0);
  function stay() { asking = false; seen = Date.now(); endingDialog?.close(); }
  if (idle) {
    window.setInterval(() => {
      if (locked) return;
      const resting = (Date.now() - seen) / 1000;
      if (resting >= idle) { showLock(); send(body.dataset.lockUrl, { background: true, stay: true }).catch(() => null); return; }
      if (resting >= idle - 120 && !asking && endingDialog && !$("dialog[open]")) { asking = true; endingDialog.showModal(); }
      // Reading and scrolling are work too: the server hears of it once a minute.
      if (seen > told && Date.now() - told > 60000 && body.dataset.proveUrl) send(`${body.dataset.proveUrl}/fresh`, { method: "GET", stay: true }).catch(() => null);
    }, 1000);
  }
  endingDialog?.addEventListener("close", () => { if (asking && !locked) stay(); });
  $("[data-stay]")?.addEventListener("click", () => { active(); stay(); });

  // --- signing PIN ------------------------------------------------------------------------------------------------------------------------------
  let afterPin = null;
  const pinDialog = $("#pin-dialog");
  /** Make sure the PIN was proven a moment ago, then go on. */
  async function askPin(next) {
    if (!pinDialog) { next(); return; }
    if (pinDialog.open) return;
    const result = await send(`${body.dataset.proveUrl}/fresh`, { method: "GET" }).catch(() => null);
    if (!result) { toast(words.offline, "bad"); return; }
    if (result.ok && result.answer.fresh) { next(); return; }
    if (!result.ok) return;
    afterPin = next;
    const problem = $("[data-error]", pinDialog);
    $("input", pinDialog).value = ""; problem.hidden = true;
    pinDialog.showModal(); $("input", pinDialog).focus();
  }
  pinDialog?.addEventListener("close", () => { afterPin = null; });
  $("[data-pin-form]")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = $("input", pinDialog); const problem = $("[data-error]", pinDialog); const button = $("button[type=submit]", pinDialog);
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    const result = await send(body.dataset.proveUrl, { data: { pin: field.value } }).catch(() => ({ ok: false, answer: { message: words.offline } }));
    button.removeAttribute("aria-busy");
    if (result.ok) { const next = afterPin; afterPin = null; pinDialog.close(); next?.(); return; }
    problem.textContent = result.answer.message || words.failed; problem.hidden = false; field.select();
  });

  // --- small things ------------------------------------------------------------------------------------------------------------------------------
  const clock = $("[data-clock]");
  if (clock) { const show = () => { clock.textContent = new Intl.DateTimeFormat("vi-VN", { timeZone: "Asia/Ho_Chi_Minh", day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date()).replace(/^(\d\d:\d\d):?\d*,? (.*)$/, "$2 $1"); }; show(); window.setInterval(show, 15000); }
  const undo = $("[data-undo]");
  if (undo) window.setTimeout(() => undo.remove(), Number(undo.dataset.undoMs || 600000));

  /** Put text into a field as a hand would: after what is there, or in its place. */
  function fill(target, text, { replace = false, join = "\n" } = {}) {
    if (!target) return;
    target.value = !replace && target.tagName === "TEXTAREA" && target.value.trim() ? `${target.value.trimEnd()}${join}${text}` : text;
    target.dispatchEvent(new Event("input", { bubbles: true }));
    target.dispatchEvent(new Event("change", { bubbles: true }));
  }
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-fill]");
    if (chip) {
      const target = document.getElementById(chip.dataset.for);
      fill(target, chip.dataset.fill, { replace: chip.dataset.replace !== undefined, join: chip.dataset.join || "\n" });
      target?.focus();
      if (chip.dataset.then === "submit") target?.form?.requestSubmit();
    }
    const many = event.target.closest("[data-fills]");
    if (many) {
      const texts = Object.entries(JSON.parse(many.dataset.fills));
      texts.forEach(([id, text]) => fill(document.getElementById(id), text));
      document.getElementById(texts[0]?.[0])?.focus();
    }
    const more = event.target.closest("[data-toggle]");
    if (more) { const part = document.getElementById(more.dataset.toggle); if (part) { part.hidden = !part.hidden; more.setAttribute("aria-expanded", String(!part.hidden)); if (!part.hidden) $("input:not([type=hidden]), textarea, select", part)?.focus(); } }
    const demo = event.target.closest("[data-demo-user]");
    if (demo) { $("#username").value = demo.dataset.demoUser; $("#password").value = demo.dataset.demoPassword; demo.closest("main").querySelector("form[data-login]").requestSubmit(); }
  });
  document.addEventListener("keyup", (event) => { if (event.target.matches?.("input[type=password]")) { const note = $("[data-caps]"); if (note) note.hidden = !event.getModifierState?.("CapsLock"); } });

  Object.assign(kit, { $, $$, words, token, after, call, send, sendForm, say, toast, undoLine, press, visible, inText, askPin, print, swap, refresh, regularly, startCombos, fill });
}

export const {
  $, $$, words, token, after, call, send, sendForm, say, toast, undoLine, press, visible, inText, askPin, print, swap, refresh, regularly,
  startCombos, fill,
} = kit;
