// What every page needs: copy buttons, sheets, toasts that go, and errors of the network said in words.

const SHOWN_MILLISECONDS = 8000;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-open], [data-close]");
  if (!button) return;
  if ("copy" in button.dataset) copy(button);
  if ("open" in button.dataset) document.getElementById(button.dataset.open).showModal();
  if ("close" in button.dataset) button.closest("dialog, .toast").matches("dialog")
    ? button.closest("dialog").close()
    : button.closest(".toast").remove();
});

async function copy(button) {
  const text = button.dataset.copy || document.getElementById(button.dataset.copyFrom).textContent;
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 1500);
  } catch {  // not a secure context: select the text, so that the reader can copy it
    const source = document.getElementById(button.dataset.copyFrom);
    if (source) getSelection().selectAllChildren(source);
  }
}

// A tap beside an open sheet closes it.
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

const toasts = document.getElementById("toasts");

new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.nodeType === Node.ELEMENT_NODE) setTimeout(() => node.remove(), SHOWN_MILLISECONDS);
    }
  }
}).observe(toasts, { childList: true });

document.addEventListener("htmx:error", () => {
  const template = document.getElementById("connection-lost");
  if (!toasts.querySelector(".connection-lost")) toasts.append(template.content.cloneNode(true));
});
