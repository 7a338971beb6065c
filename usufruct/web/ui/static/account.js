// The buyer's page: a new key with its deposit, and more deposits.

import { API_KEY, keep } from "./page.js";
import { act, ask, atomic, sign } from "./wallet.js";

const form = document.getElementById("new-key");
const made = document.getElementById("made");
const decimals = Number(form.dataset.decimals);

async function deposit(channel, amount) {
  await sign(await ask("POST", "/v1/account/deposit-requests", { channel, amount }));
}

function say(state) {
  for (const each of made.querySelectorAll("[data-state]")) each.hidden = each.dataset.state !== state;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = form.elements;
  act(form.querySelector("[type=submit]"), async () => {
    const spendingLimit = atomic(fields.limit.value, decimals);
    const amount = atomic(fields.deposit.value, decimals);
    const wish = { spendingLimit, days: Number(fields.days.value), assets: [], label: fields.label.value };
    const key = await sign(await ask("POST", "/v1/account/key-requests", wish));
    document.getElementById("made-key").textContent = key.key;
    keep("sessionStorage", API_KEY, key.key);  // for the playground
    say("paying");
    made.showModal();
    try {
      await deposit(key.channel, amount);
      say("paid");
    } catch (error) {
      say("unpaid");
      throw error;
    }
  });
});

made.addEventListener("close", () => location.reload());

document.addEventListener("submit", (event) => {
  const shown = event.target.closest("form[data-channel]");
  if (!shown) return;
  event.preventDefault();
  act(shown.querySelector("[type=submit]"), async () => {
    await deposit(shown.dataset.channel, atomic(shown.elements.amount.value, decimals));
    location.reload();
  });
});
