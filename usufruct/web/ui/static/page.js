// What every page needs: copy buttons, sheets, toasts that go, requests, and what goes wrong said in words.

const SHOWN_MILLISECONDS = 8000;

const toasts = document.getElementById("toasts");
const template = document.getElementById("toast");

// One that `stays` is there until its caller or its reader removes it.
export function toast(text, kind = "bad", { stays = false } = {}) {
  const shown = template.content.cloneNode(true).querySelector(".toast");
  shown.classList.add(kind);
  shown.querySelector("span").textContent = text;
  if (stays) shown.dataset.stays = "";
  raise();
  const same = [...toasts.children].find((each) => each.textContent === shown.textContent);
  if (!same) toasts.append(shown);
  return same ?? shown;
}

// Shows the toasts above an open sheet, and within it: all that is outside of it takes no clicks.
function raise() {
  ([...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body).append(toasts);
  toasts.showPopover();
}

document.addEventListener("close", ({ target }) => target.contains(toasts) && raise(), true);

// The network failed at a request; no script did.
export class ConnectionLost extends Error {}

const FAULTS = [TypeError, ReferenceError, RangeError, SyntaxError];  // what the language throws, never a page
const NOT_FETCHED = /dynamically imported module|Importing a module/;  // of a script: a TypeError, as browsers word it

const isLost = (error) => error instanceof ConnectionLost || (error instanceof TypeError && NOT_FETCHED.test(error.message));

// Whether an error is a fault of a script, which trying again does not mend.
export const isFault = (error) => !isLost(error) && FAULTS.some((kind) => error instanceof kind);

// Says what went wrong: that the connection was lost, or what the error says. A fault of a script is for the console too.
export function failed(error) {
  if (isLost(error)) toast(template.dataset.connectionLost);
  else if (isFault(error)) {
    console.error(error);
    toast(template.dataset.fault);
  } else toast(error.message || String(error));
}

// Waits for what comes over the network; throws ConnectionLost where browsers throw the TypeError of a failed network.
export async function received(promise) {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof TypeError ? new ConnectionLost(error.message) : error;
  }
}

// Sends a request; what cannot be sent at all is a fault, not a lost connection.
export async function fetchAnswer(path, options) {
  return received(fetch(new Request(path, options)));
}

// Storage that a browser may refuse: what is not kept is asked for again.
export function recall(storage, name) {
  try {
    return window[storage].getItem(name);
  } catch {
    return null;
  }
}

export function keep(storage, name, value) {
  try {
    if (value === null) window[storage].removeItem(name);
    else window[storage].setItem(name, value);
  } catch { /* refused */ }
}

export const READER = { "x-usufruct-language": document.documentElement.lang };  // for messages of refusals

// The JSON of an answer; what a proxy says instead is said in words.
export async function contentOf(answer) {
  const content = await received(answer.text());
  try {
    return JSON.parse(content);
  } catch {
    throw new Error(template.dataset.noAnswer.replace("000", answer.status));
  }
}

export const API_KEY = "usufruct-key";  // in this tab only, until it is closed or its owner signs out

async function copy(button) {
  const source = document.getElementById(button.dataset.copyFrom) ?? button.parentElement.querySelector("code");
  const label = button.textContent;
  if (!await copied(button.dataset.copy || source.textContent, source)) return;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = label; }, 1500);
}

// Tells whether a text was copied; where the browser copies nothing, it is selected, so that the reader can copy it.
export async function copied(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {  // refused, or the context is not secure: there is no clipboard in it
    if (copiedByCommand(text)) return true;
    if (source) getSelection().selectAllChildren(source);
    return false;
  }
}

// The older way, which needs no secure context. It copies what is selected, within an open sheet: the rest takes no focus.
function copiedByCommand(text) {
  const focused = document.activeElement;
  const place = document.createElement("textarea");
  place.className = "unseen";
  place.readOnly = true;  // no keyboard opens
  place.value = text;
  ([...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body).append(place);
  place.select();
  const done = document.execCommand("copy");
  place.remove();
  focused?.focus();
  return done;
}

function close(inside) {
  const shown = inside.closest("dialog, .toast");
  if (shown instanceof HTMLDialogElement) shown.close();
  else shown.remove();
}

document.addEventListener("click", ({ target }) => {
  if (target instanceof HTMLDialogElement && !("stays" in target.dataset)) target.close();  // a tap beside an open sheet
  const button = target.closest("[data-copy], [data-open], [data-close]");
  if (!button) return;
  if ("copy" in button.dataset) copy(button);
  if ("open" in button.dataset) document.getElementById(button.dataset.open).showModal();
  if ("close" in button.dataset) close(button);
});

// A form that needs a yes first is submitted when its sheet got one.
const agreed = new WeakSet();

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!form.querySelector("[data-sure]") || agreed.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();  // also of those that listen at the form
  const button = submitter ?? form.querySelector("[type=submit]");
  const submit = () => agreed.add(form) && form.requestSubmit(button);
  import("./sure.js").then(({ askFirst }) => askFirst(form, button, submit)).catch(failed);
}, true);

// A menu of the navigation closes by a tap beside it and by the Escape key, as everywhere.
function closeMenu(except) {
  const open = document.querySelector("details.menu[open]");
  if (!open || open.contains(except)) return null;
  open.open = false;
  return open;
}

document.addEventListener("click", ({ target }) => closeMenu(target));

document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") closeMenu()?.querySelector("summary").focus();
});

document.addEventListener("cancel", (event) => {  // the Escape key
  if ("stays" in event.target.dataset) event.preventDefault();
}, true);

// What only a script answers waits, disabled, until all scripts listen: a tap is never lost.
for (const moment of ["DOMContentLoaded", "htmx:after:swap"]) {
  document.addEventListener(moment, () => {
    for (const control of document.querySelectorAll("[data-scripted]:disabled")) {
      control.removeAttribute("data-scripted");
      control.disabled = false;
    }
  });
}

function changed(field) {
  if (field instanceof HTMLSelectElement) {
    const usual = [...field.options].find((each) => each.defaultSelected) ?? field.options[0];
    return usual !== field.selectedOptions[0];
  }
  return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
}

// What was chosen before htmx listened is looked up as if it was chosen now.
document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("[hx-trigger] :is(input, select), :is(input, select)[hx-trigger]")) {
    if (!changed(field)) continue;
    for (const event of ["input", "change"]) field.dispatchEvent(new Event(event, { bubbles: true }));
  }
});

new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.nodeType !== Node.ELEMENT_NODE || "stays" in node.dataset) continue;
      setTimeout(() => node.remove(), SHOWN_MILLISECONDS);
    }
  }
}).observe(toasts, { childList: true });

toasts.showPopover();

// An error before the text of an answer has come is the network's.
document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
  const pending = ctx && ctx.text === undefined && error instanceof TypeError;
  failed(pending ? new ConnectionLost(error.message) : error);
});
