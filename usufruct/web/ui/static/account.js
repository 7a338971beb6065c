// The buyer's page: a new key with its deposit, and more deposits.

import { hex } from "./hex.js";
import { API_KEY, copied, keep, recall, toast } from "./page.js";
import { act, ask, atomic, fill, reload, resume, send, sign, transact } from "./wallet.js";

const COLLECTOR = "0x4020806089470a89826cb9fb1f4059150b550004";  // x402's, the same on every chain
const SETTLEMENT = "0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003";
const CHANNEL = "(address,address,address,address,address,uint40,bytes32)";
const WITHDRAWAL = [`initiateWithdraw(${CHANNEL},uint128)`, `finalizeWithdraw(${CHANNEL})`];

const texts = document.getElementById("wallet-texts").dataset;
const form = document.getElementById("new-key");
const made = document.getElementById("made");
const madeKey = document.getElementById("made-key");
const toService = made.querySelector("[data-try]");
const decimals = Number(form.dataset.decimals);

// Runs one tab at a time: waits for its turn, or throws `refusal`.
function alone(name, action, refusal) {
  if (!navigator.locks) return action();  // none where the context is not secure
  return navigator.locks.request(name, { ifAvailable: Boolean(refusal) }, (lock) => {
    if (!lock) throw new Error(refusal);
    return action();
  });
}

// One deposit at a time; none if another tab signed one since this page was loaded.
const signedLast = `deposit signed ${texts.payer}`;
let seen = recall("localStorage", signedLast);
const oneDeposit = (action) => alone(signedLast, () => {
  if (recall("localStorage", signedLast) !== seen) throw new Error(made.dataset.elsewhere);
  return action();
}, made.dataset.elsewhere);

// Passkeys show nothing of what they sign: that it is this deposit is checked here.
function isDeposit({ primaryType, message }, amount) {
  return primaryType === "ReceiveWithAuthorization" && message.value === amount && message.to.toLowerCase() === COLLECTOR;
}

async function deposit(channel, amount) {
  const wish = { channel, amount, seen: Number(form.dataset.seen) };  // another browser may have made one since
  const request = await ask("POST", "/v1/account/deposit-requests", wish);
  if (request.document && !isDeposit(request.document, amount)) throw new Error(texts.otherAmount);
  await fill(request);
  seen = hex(crypto.getRandomValues(new Uint8Array(16)));
  keep("localStorage", signedLast, seen);
  await send(request);
}

// Gets test dollars that the wallet lacks, on a local chain.
async function getPlayMoney(amount) {
  if ("balance" in form.dataset && BigInt(form.dataset.balance) < BigInt(amount)) await ask("POST", "/v1/account/play-money");
}

function say(state) {
  if (toService) toService.disabled = state !== "paid";
  for (const each of made.querySelectorAll("[data-state]")) each.hidden = each.dataset.state !== state;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = form.elements;
  act(form.querySelector("[type=submit]"), () => oneDeposit(async () => {
    const spendingLimit = atomic(fields.limit.value, decimals);
    const amount = atomic(fields.deposit.value, decimals);
    const daily = fields["day-limit"].value.trim();
    const dayLimit = daily ? atomic(daily, decimals) : null;
    const assets = fields.services.value.split(",").map((name) => name.trim()).filter(Boolean);
    const wish = { spendingLimit, dayLimit, days: Number(fields.days.value), assets, label: fields.label.value };
    await getPlayMoney(amount);
    const key = await sign(await ask("POST", "/v1/account/key-requests", wish));
    madeKey.textContent = key.key;
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
  }));
});

made.addEventListener("close", () => location.reload());

// Goes back to the service that the key is for, with the key in this tab and on the clipboard.
let marked = false;
toService?.addEventListener("click", () => act(toService, async () => {
  if (marked || await copied(madeKey.textContent, madeKey)) {
    location.assign(toService.dataset.try);
    return;
  }
  marked = true;
  toast(toService.dataset.byHand, "warn");
}));

// A passkey shows nothing of what it signs: that the operation takes money out of the escrow, to its payer, is checked here.
async function isWithdrawal(document) {
  const { callsOf, selector } = await import("./keccak.js");
  const known = WITHDRAWAL.map(selector);
  const ours = texts.payer.slice(2).padStart(64, "0");
  const calls = callsOf(document, texts.payer);
  return calls.length > 0 && calls.every(({ to, value, data }) => to === SETTLEMENT && value === 0n
    && known.includes(data.slice(0, 10)) && data.slice(10, 74) === ours);
}

async function leave(channel) {
  const { call, request, chainId } = await ask("POST", "/v1/account/withdrawals", { channel });
  if (request) {
    if (!await isWithdrawal(request.document)) throw new Error(texts.otherCall);
    await sign(request);
  } else {
    if (call.to !== SETTLEMENT) throw new Error(texts.otherCall);
    await transact(call, chainId);
  }
  location.reload();
}

// One tab at a time: the next one asks the server when the first has ended, and is told that it is announced.
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-leave]");
  if (button) act(button, () => alone(`leave ${button.dataset.leave}`, () => leave(button.dataset.leave)));
});

document.addEventListener("submit", (event) => {
  const shown = event.target.closest("form[data-channel]");
  if (!shown) return;
  event.preventDefault();
  act(shown.querySelector("[type=submit]"), () => oneDeposit(async () => {
    await deposit(shown.dataset.channel, atomic(shown.elements.amount.value, decimals));
    reload(made.dataset.paid);
  }));
});

resume((request) => alone(signedLast, async () => {
  await send(request);
  reload(made.dataset.paid);
}));
