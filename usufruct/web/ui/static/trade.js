// The pages of a service's revenue shares and prepaid credits: buy of an offer, sell by one, cancel one, collect income.

import { bytes, hex } from "./hex.js";
import { COLLECT, paysUs, perform } from "./transactions.js";
import { act, ask, atomic, fill, forget, reload, resume, send, transact } from "./wallet.js";

const ERC20 = 0, ERC1155 = 2;  // kinds of items on the exchange
const DAY_SECONDS = 86_400;
const CLOCK_SECONDS = 3_600;  // that this clock may be behind
const NOT_SENT = ["not_relayed", "relay_limited", "relay_spent", "relay_failures"];  // the wallet can send it itself

export const texts = document.getElementById("wallet-texts").dataset;
export const page = document.getElementById("trade").dataset;
export const decimals = Number(page.decimals);
export const unitDecimals = Number(page.unit);  // of what is sold
const OFFERS = "/v1/offers";
const PURCHASES = "/v1/purchases";

const address = (text) => text.toLowerCase();

// What the exchange takes for a part of an offer: rounded up.
const priceUp = (part, amount, price) => (part * price + amount - 1n) / amount;

function units(text, places) {
  try {
    return BigInt(atomic(text, places));
  } catch {
    return null;
  }
}

export const coins = (amount, places) => {
  const whole = String(amount).padStart(places + 1, "0");
  return `${whole.slice(0, -places)}.${whole.slice(-places)}`.replace(/\.?0+$/, "");
};

// A passkey shows nothing of what it signs: that it is this payment for these goods is checked here.
async function isPurchase({ document, body }, { offer, amount, maxPrice }) {
  if (!document) return true;
  const { join, keccak, word } = await import("./keccak.js");
  const { primaryType, message } = document;
  const nonce = hex(keccak(join(bytes(offer), word(amount), word(texts.payer), bytes(body.salt))));
  return primaryType === "ReceiveWithAuthorization" && BigInt(message.value) <= BigInt(maxPrice)
    && address(message.to) === page.exchange && address(document.domain.verifyingContract) === page.token
    && message.nonce === nonce;
}

function isOffer({ document }, { amount, price, days, plan }) {
  if (!document) return true;
  const { item, currency, more, expiry, maxDeductionBps } = document.message;
  const last = Date.now() / 1000 + days * DAY_SECONDS + CLOCK_SECONDS;
  return document.primaryType === "Listing" && address(item.token) === page.contract && item.amount === amount
    && Number(item.kind) === (plan ? ERC1155 : ERC20) && BigInt(item.id) === BigInt(plan ?? 0)
    && item.price === price && address(currency) === page.token && more.length === 0
    && Number(expiry) <= last && Number(maxDeductionBps) <= Number(page.deducted)
    && address(document.domain.verifyingContract) === page.exchange;
}

// The function, then the exchange as its first argument.
const isApproval = ({ data }) => data.slice(10, 74) === page.exchange.slice(2).padStart(64, "0");

function isPermit({ document }) {
  if (!document) return true;
  return document.primaryType === "Permit" && address(document.message.spender) === page.exchange
    && address(document.domain.verifyingContract) === page.contract;
}

// Makes a signed purchase; where the operator does not send it, the wallet does.
async function finish(request) {
  const open = "byPasskey" in texts ? [] : NOT_SENT;
  try {
    await send(request, open);
  } catch (error) {
    if (!open.includes(error.code)) throw error;
    const call = await ask("POST", `${PURCHASES}/transactions`, request.body);
    await transact(call, call.chainId).finally(() => forget(request));
  }
  reload(page.bought);
}

async function buy(form) {
  const { offer, bought } = form.dataset;
  const amount = atomic(form.elements.amount.value, unitDecimals);
  const maxPrice = atomic(form.elements.most.value, decimals);
  const wish = { offer, amount, maxPrice, bought };
  const { request } = await ask("POST", `${PURCHASES}/requests`, wish);
  if (!await isPurchase(request, wish)) throw new Error(texts.otherCall);
  await fill(request);
  await finish(request);
}

async function sell(form) {
  const { elements, dataset: { plan } } = form;
  const amount = atomic(elements.amount.value, unitDecimals);
  const price = atomic(elements.price.value, decimals);
  const wish = { asset: page.asset, amount, price, days: Number(elements.days.value), plan };
  const { permit, approval, offer } = await ask("POST", `${OFFERS}/requests`, wish);
  if (!isOffer(offer, wish) || (permit && !isPermit(permit))) throw new Error(texts.otherCall);
  if (permit) {
    await fill(permit);
    offer.body.permit = permit.body;
  } else if (approval && !approval.sent) {
    await perform([approval], page.contract, [page.approve], isApproval);
  }
  await fill(offer);
  try {
    await send(offer);
  } catch (error) {
    if (!NOT_SENT.includes(error.code) || !permit) throw error;
    await transact(approval, approval.chainId);
    await send(offer);
  }
  reload(page.offered);
}

async function cancel(form) {
  const { sent, ...call } = await ask("POST", `${OFFERS}/${form.dataset.offer}/cancellation`);
  if (!sent) await perform([call], page.exchange, ["cancel(uint256,uint256)"]);
  reload(page.cancelled);
}

async function collect() {
  const { transactions } = await ask("POST", `/v1/shares/${page.asset}/collection`);
  await perform(transactions.filter(({ sent }) => !sent), page.contract, COLLECT, paysUs);
  reload(page.collected);
}

const ACTIONS = { buy, sell, cancel, collect };

// The price of what is typed, and as the most to pay until another is typed.
function show(form) {
  if (form.dataset.trade === "buy") {
    const part = units(form.elements.amount.value, unitDecimals);
    const total = part && priceUp(part, BigInt(form.dataset.amount), BigInt(form.dataset.price));
    form.querySelector("output").textContent = total ? coins(total, decimals) : "–";
    if (total && !("typed" in form.elements.most.dataset)) form.elements.most.value = coins(total, decimals);
    return;
  }
  const amount = units(form.elements.amount.value, unitDecimals);
  const price = units(form.elements.price.value, decimals);
  const [each, gets] = form.querySelectorAll("output");
  const known = amount && price;
  each.textContent = known ? Number(coins(price * 10n ** 12n / amount, 12 + decimals - unitDecimals)).toPrecision(6) : "–";
  gets.textContent = known ? coins(price - price * BigInt(page.deducted) / 10_000n, decimals) : "–";
}

for (const form of document.querySelectorAll("form[data-trade]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form.querySelector("[type=submit]"), () => ACTIONS[form.dataset.trade](form));
  });
  if (!["buy", "sell"].includes(form.dataset.trade)) continue;
  form.addEventListener("input", ({ target }) => {
    if (target.name === "most") target.dataset.typed = "";
    show(form);
  });
  show(form);
}

resume(async (request) => {
  if (request.post === PURCHASES) return finish(request);
  await send(request);
  return request.post === OFFERS ? reload(page.offered) : location.reload();
});
