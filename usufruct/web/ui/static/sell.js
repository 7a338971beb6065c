// The confirmation of a sale by a wallet: it sends what is missing on the chain, together where it can.

import { keep, recall } from "./page.js";
import { act, ask } from "./wallet.js";
import { transactAll } from "./wallet_calls.js";

const TRIES = 60;
const PAUSE_MILLISECONDS = 1000;

const form = document.getElementById("confirm");

const step = (what) => form.querySelector(`[data-what="${what}"]`);
const show = ({ what }) => { step(what).hidden = false; };

// The server's node may see a block some time later than the wallet's: what is mined is not sent again, also after a reload.
const place = `mined ${form.dataset.confirm}`;
const mined = new Set(JSON.parse(recall("sessionStorage", place)));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  act(form.querySelector("[type=submit]"), async () => {
    step("late").hidden = true;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { draft, transactions } = await ask("POST", form.dataset.confirm);
      if (draft.service) {
        keep("sessionStorage", place, null);
        location.assign(form.dataset.done);
        return;
      }
      const missing = transactions.filter(({ data }) => !mined.has(data));
      if (missing.length) await transactAll(missing, missing[0].chainId, show);
      for (const { data } of missing) mined.add(data);
      keep("sessionStorage", place, JSON.stringify([...mined]));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    }
    step("late").hidden = false;
  });
});
