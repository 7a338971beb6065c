// The sheet that asks before something is spent or ended.

const DOUBLE_TAP_MILLISECONDS = 500;

// Says what a form does, in the words of its part `data-sure`; `submit` is called on a yes.
export function askFirst(form, button, submit) {
  if (document.getElementById("sure")) return;
  const sheet = document.getElementById("sure-sheet").content.querySelector("dialog").cloneNode(true);
  const action = sheet.querySelector("[type=submit]");
  sheet.querySelector("h2").textContent = `${button.textContent.trim()}?`;
  sheet.querySelector("p").textContent = form.querySelector("[data-sure]").textContent.replace(/\s+/g, " ").trim();
  action.textContent = button.textContent;
  action.className = button.className;
  action.addEventListener("click", () => {
    action.disabled = true;
    submit();
    setTimeout(() => sheet.close(), DOUBLE_TAP_MILLISECONDS);  // the second tap hits nothing below the sheet
  });
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}
