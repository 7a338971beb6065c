// The confirmation of a sale by a wallet: it sends what is missing on the chain, together where it can.

import { act, ask } from "./wallet.js";
import { transactAll } from "./wallet_calls.js";

const TRIES = 60;
const PAUSE_MILLISECONDS = 1000;

const form = document.getElementById("confirm");

const show = ({ what }) => { form.querySelector(`[data-what="${what}"]`).hidden = false; };

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
      const missing = transactions.filter(({ data }) => !mined.has(data));
      if (missing.length) await transactAll(missing, missing[0].chainId, show);
      for (const { data } of missing) mined.add(data);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    }
  });
});
