// The page of locks: a sheet shows what a change does; its button has the account sign it. What signs loads when it opens.

import { act, resume, send } from "./wallet.js";

const sheet = document.getElementById("confirm");
const actions = () => import("./stake_actions.js");

document.addEventListener("htmx:after:swap", () => {
  const form = document.getElementById("confirmed");
  if (!form || sheet.open) return;
  actions();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter, async () => (await actions()).perform(form));
  });
  sheet.showModal();
});

sheet.addEventListener("close", () => sheet.replaceChildren());

resume(async (request) => {
  await send(request);
  location.reload();
});
