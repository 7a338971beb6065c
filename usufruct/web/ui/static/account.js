// The buyer's page: a new key with its deposit, and more deposits.

import { API_KEY, keep } from "./page.js";
import { act, ask, atomic, sign } from "./wallet.js";

const COLLECTOR = "0x4020806089470a89826cb9fb1f4059150b550004";  // x402's, the same on every chain

const texts = document.getElementById("wallet-texts").dataset;
const form = document.getElementById("new-key");
const made = document.getElementById("made");
const decimals = Number(form.dataset.decimals);

// Passkeys show nothing of what they sign: that it is this deposit is checked here.
function isDeposit({ primaryType, message }, amount) {
  return primaryType === "ReceiveWithAuthorization" && message.value === amount && message.to.toLowerCase() === COLLECTOR;
}

async function deposit(channel, amount) {
  const request = await ask("POST", "/v1/account/deposit-requests", { channel, amount });
  if (request.document && !isDeposit(request.document, amount)) throw new Error(texts.otherAmount);
  await sign(request);
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
    const daily = fields["day-limit"].value.trim();
    const dayLimit = daily ? atomic(daily, decimals) : null;
    const assets = fields.services.value.split(",").map((name) => name.trim()).filter(Boolean);
    const wish = { spendingLimit, dayLimit, days: Number(fields.days.value), assets, label: fields.label.value };
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
