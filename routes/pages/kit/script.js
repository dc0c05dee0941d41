// Only for comfort: every page works without this file. All texts come from the page, in the language of the reader.
"use strict";

// A button that shows the typed password.
for (const box of document.querySelectorAll(".secret")) {
  const input = box.querySelector("input");
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-controls", input.id);
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    button.textContent = visible ? box.dataset.hide : box.dataset.show;
    button.setAttribute("aria-label", visible ? box.dataset.hideLabel : box.dataset.showLabel);
  };
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  // Hidden again before the form is sent, so that no browser saves it among typed texts.
  input.form?.addEventListener("submit", () => show(false));
  show(false);
  box.append(button);
}

// Sends a form once: a second click would only hear that the first one did everything. The button works again when the
// person comes back to the page, or when no answer came for ten seconds.
for (const form of document.querySelectorAll("form")) {
  const buttons = form.querySelectorAll("button[type=submit]");
  let timer;
  const wait = (busy) => {
    clearTimeout(timer);
    if (busy) form.setAttribute("aria-busy", "true");
    else form.removeAttribute("aria-busy");
    for (const button of buttons) button.disabled = busy;
    if (busy) timer = setTimeout(() => wait(false), 10_000);
  };
  form.addEventListener("submit", (event) => {
    if (form.hasAttribute("aria-busy")) event.preventDefault();
    else wait(true);
  });
  addEventListener("pageshow", () => wait(false));
}

// Marks the rules that a new password meets, while it is typed. Counts code points, as the service does.
for (const rule of document.querySelectorAll("[data-least]")) {
  const input = rule.closest(".field").querySelector("input");
  const check = () => rule.classList.toggle("met", [...input.value].length >= Number(rule.dataset.least));
  input.addEventListener("input", check);
  check();
}

// Shows times in the local time zone, and those of the last day as "3 minutes ago".
const { lang } = document.documentElement;
const local = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
const steps = [["second", 60], ["minute", 60], ["hour", 24]];
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  time.textContent = time.title = local.format(moment);
  let amount = (moment - Date.now()) / 1000;
  for (const [unit, size] of steps) {
    if (Math.abs(amount) < size) {
      time.textContent = relative.format(Math.round(amount), unit);
      break;
    }
    amount /= size;
  }
}

// A button that copies the code before it.
for (const code of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = code.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = code.dataset.copied;
  });
  code.after(" ", button);
}

// If the logo does not load, the name replaces it.
for (const logo of document.querySelectorAll(".logo")) {
  const name = () => {
    const text = document.createElement("span");
    text.textContent = logo.alt;
    logo.replaceWith(text);
  };
  if (logo.complete && logo.naturalWidth === 0) name();
  else logo.addEventListener("error", name);
}
