// The page of a recovery wallet: a new passkey, and two transactions of that wallet.

import { makePasskey } from "./passkey.js";
import { act, ask, transact } from "./wallet.js";

const texts = document.getElementById("wallet-texts").dataset;

async function start({ start: account, chain }) {
  const made = await makePasskey(texts.site);
  await transact(await ask("POST", "/v1/recoveries", { account, ...made }), chain);
  location.reload();
}

async function finish({ finish: account, chain }) {
  await transact(await ask("GET", `/v1/recoveries/${account}/finish`), chain);
  location.reload();
}

for (const [name, action] of Object.entries({ start, finish })) {
  for (const button of document.querySelectorAll(`[data-${name}]`)) {
    button.addEventListener("click", () => act(button, () => action(button.dataset)));
  }
}
