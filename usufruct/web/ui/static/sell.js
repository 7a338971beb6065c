// The confirmation of a sale by a wallet, which sends what is missing on the chain, together where it can, or by a passkey.

import { keep, recall } from "./page.js";
import { perform } from "./transactions.js";
import { act, ask, resume, send } from "./wallet.js";
import { transactAll } from "./wallet_calls.js";

const TRIES = 60;
const PAUSE_MILLISECONDS = 1000;

const REGISTER = "register((bytes32,uint8,string,string,string,string,address,"
  + "(uint128,uint128,uint128,uint16,uint8,uint32,uint32),uint32,address,uint16,(address,uint16)[],address))";

const texts = document.getElementById("wallet-texts").dataset;
const form = document.getElementById("confirm");
const CALLS = {  // what a passkey may be asked to sign: the contract, the function, and what else holds
  register: [form.dataset.registry, REGISTER],
  share: [form.dataset.shares, "transfer(address,uint256)", ({ data }) => form.dataset.gifts.split(" ").includes(data)],
};

const step = (what) => form.querySelector(`[data-what="${what}"]`);
const show = ({ what }) => { step(what).hidden = false; };

async function signAll(calls, chain, begin) {
  for (const each of calls) {
    begin(each);
    const [contract, name, fits] = CALLS[each.what] ?? [];
    await perform([each], contract, [name], fits);
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
