// The confirmation of a sale by a wallet: it sends what is missing on the chain, one transaction after the other.

import { act, ask, transact } from "./wallet.js";

const TRIES = 60;
const PAUSE_MILLISECONDS = 1000;

const form = document.getElementById("confirm");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  act(form.querySelector("[type=submit]"), async () => {
    const mined = new Set();  // the server's node may see a block a moment later than the wallet's
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { draft, transactions } = await ask("POST", form.dataset.confirm);
      if (draft.service) {
        location.assign(form.dataset.done);
        return;
      }
      for (const each of transactions.filter(({ data }) => !mined.has(data))) {
        form.querySelector(`[data-what="${each.what}"]`).hidden = false;
        await transact(each, each.chainId);
        mined.add(each.data);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    }
  });
});
