// The page of what an account holds: it collects the income of shares.

import { COLLECT, paysUs, perform } from "./transactions.js";
import { act, ask, reload, resume, send } from "./wallet.js";

async function collect({ collect: asset, shares, done }) {
  const { transactions } = await ask("POST", `/v1/shares/${asset}/collection`);
  await perform(transactions.filter(({ sent }) => !sent), shares, COLLECT, paysUs);
  reload(done);
}

for (const form of document.querySelectorAll("form[data-collect]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form.querySelector("[type=submit]"), () => collect(form.dataset));
  });
}

resume(async (request) => {
  await send(request);
  location.reload();
});
