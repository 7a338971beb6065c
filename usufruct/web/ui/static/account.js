// The buyer's page: a new key with its deposit, and more deposits.

import { API_KEY, keep } from "./page.js";
import { act, ask, atomic, sign, transact } from "./wallet.js";

const COLLECTOR = "0x4020806089470a89826cb9fb1f4059150b550004";  // x402's, the same on every chain
const SETTLEMENT = "0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003";
const CHANNEL = "(address,address,address,address,address,uint40,bytes32)";
const WITHDRAWAL = [`initiateWithdraw(${CHANNEL},uint128)`, `finalizeWithdraw(${CHANNEL})`];

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

// A passkey shows nothing of what it signs: that the operation takes money out of the escrow, to its payer, is checked here.
async function isWithdrawal({ primaryType, message }) {
  const { batchOf, selector } = await import("./keccak.js");
  const known = WITHDRAWAL.map(selector);
  const ours = texts.payer.slice(2).padStart(64, "0");
  return primaryType === "PackedUserOperation" && message.sender.toLowerCase() === texts.payer
    && message.initCode === "0x" && message.paymasterAndData === "0x" && BigInt(message.gasFees) === 0n
    && batchOf(message.callData).every(({ to, value, data }) => to === SETTLEMENT && value === 0n
      && known.includes(data.slice(0, 10)) && data.slice(10, 74) === ours);
}

async function leave(channel) {
  const { call, request, chainId } = await ask("POST", "/v1/account/withdrawals", { channel });
  if (request) {
    if (!await isWithdrawal(request.document)) throw new Error(texts.otherCall);
    const { state, reason } = await sign(request);
    if (state !== "succeeded") throw new Error(texts.chainRefused + reason);
  } else {
    if (call.to !== SETTLEMENT) throw new Error(texts.otherCall);
    await transact(call, chainId);
  }
  location.reload();
}

// One tab at a time: the next one asks the server when the first has ended, and is told that it is announced.
const alone = (name, action) => navigator.locks ? navigator.locks.request(name, action) : action();

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-leave]");
  if (button) act(button, () => alone(`leave ${button.dataset.leave}`, () => leave(button.dataset.leave)));
});

document.addEventListener("submit", (event) => {
  const shown = event.target.closest("form[data-channel]");
  if (!shown) return;
  event.preventDefault();
  act(shown.querySelector("[type=submit]"), async () => {
    await deposit(shown.dataset.channel, atomic(shown.elements.amount.value, decimals));
    location.reload();
  });
});
