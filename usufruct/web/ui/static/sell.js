// The confirmation of a sale by a wallet, which sends what is missing on the chain, together where it can, or by a passkey.

import { keep, recall } from "./page.js";
import { relay } from "./transactions.js";
import { act, ask, resume, send } from "./wallet.js";
import { transactAll } from "./wallet_calls.js";

const TRIES = 60;
const PAUSE_MILLISECONDS = 1000;

const texts = document.getElementById("wallet-texts").dataset;
const form = document.getElementById("confirm");
const shown = form.dataset.calls.split(",");  // what this page asks to confirm, each call as its contract and its data

const step = (what) => form.querySelector(`[data-what="${what}"]`);
const show = ({ what }) => { step(what).hidden = false; };

// A passkey's prompt shows no terms: each call is one of those that this page was loaded with, and none comes twice.
async function signAll(calls, chain, begin) {
  const asked = new Set(calls.map(({ to, data }) => `${to} ${data}`));
  if (asked.size < calls.length || ![...asked].every((each) => shown.includes(each))) throw new Error(texts.otherCall);
  for (const each of calls) {
    begin(each);
    await relay(each);
  }
}

const sendAll = "byPasskey" in texts ? signAll : transactAll;

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
      if (missing.length) await sendAll(missing, missing[0].chainId, show);
      for (const { data } of missing) mined.add(data);
      keep("sessionStorage", place, JSON.stringify([...mined]));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    }
    step("late").hidden = false;
  });
});

resume(async (request) => {
  await send(request);
  location.reload();
});
