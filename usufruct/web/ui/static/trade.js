// The pages of a service's revenue shares, prepaid credits and title: buy of an offer, sell by one, cancel one, collect income.

import { bytes, hex } from "./hex.js";
import { COLLECT, paysUs, perform } from "./transactions.js";
import { act, ask, atomic, fill, forget, reload, resume, send, transact } from "./wallet.js";

const ERC20 = 0, ERC721 = 1, ERC1155 = 2;  // kinds of items on the exchange
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

// The items that an offer must have, in any order: the title takes what the others leave of the price.
function itemsOf({ title, amount, price, plan, more = [] }) {
  const credits = (each) => ({ ...each, kind: ERC1155, token: page.passes, id: each.plan });
  const shares = (each) => ({ ...each, kind: ERC20, token: page.shares, id: 0 });
  const others = more.map((each) => (each.plan ? credits : shares)(each));
  if (!title) return [(plan ? credits : shares)({ amount, price, plan })];
  const rest = others.reduce((left, each) => left - BigInt(each.price), BigInt(price));
  return [{ kind: ERC721, token: page.titles, id: page.asset, amount, price: rest }, ...others];
}

const sameItem = (item, wanted) => Number(item.kind) === wanted.kind && address(item.token) === wanted.token
  && ["id", "amount", "price"].every((name) => BigInt(item[name]) === BigInt(wanted[name]));

function isOffer({ document }, wish) {
  if (!document) return true;
  const { item, currency, more, divisible, expiry, maxDeductionBps } = document.message;
  const last = Date.now() / 1000 + wish.days * DAY_SECONDS + CLOCK_SECONDS;
  const items = [item, ...more], wanted = itemsOf(wish);
  return document.primaryType === "Listing" && divisible === !wish.title && items.length === wanted.length
    && wanted.every((each) => items.some((found) => sameItem(found, each)))
    && address(currency) === page.token && Number(expiry) <= last && Number(maxDeductionBps) <= Number(page.deducted)
    && address(document.domain.verifyingContract) === page.exchange;
}

const APPROVE = "approve(address,uint256)";
const APPROVALS = { [page.shares]: APPROVE, [page.titles]: APPROVE, [page.passes]: "setApprovalForAll(address,bool)" };

// The function, then the exchange as its first argument.
const isApproval = ({ data }) => data.slice(10, 74) === page.exchange.slice(2).padStart(64, "0");

// Has the account approve what is sold, where it has not: at the contracts of these goods, and by no other function.
async function approve(calls, wish) {
  const sold = itemsOf(wish).map(({ token }) => token);
  for (const call of calls) {
    const contract = sold.find((each) => each === call.to);
    await perform([call], contract, [APPROVALS[contract]], isApproval);
  }
}

function isPermit({ document }) {
  if (!document) return true;
  return document.primaryType === "Permit" && address(document.message.spender) === page.exchange
    && address(document.domain.verifyingContract) === page.shares;
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
  const { amount: part, most } = form.elements;  // a title has neither: it is bought whole, at its price
  const amount = part ? atomic(part.value, unitDecimals) : "0";
  const wish = { offer, amount, maxPrice: most ? atomic(most.value, decimals) : form.dataset.price, bought };
  const { request } = await ask("POST", `${PURCHASES}/requests`, wish);
  if (!await isPurchase(request, wish)) throw new Error(texts.otherCall);
  await fill(request);
  await finish(request);
}

// What is sold with a title: of each of the form's parts that has an amount, how much and for how much of the price.
function bundled(form) {
  const parts = [...form.querySelectorAll("[data-bundled]")].map((part) => {
    const [amount, price] = part.querySelectorAll("input");
    const { decimals: places, plan } = part.dataset;
    return amount.value.trim() && { amount: atomic(amount.value, Number(places)), price: atomic(price.value, decimals), plan };
  });
  return parts.filter(Boolean);
}

async function sell(form) {
  const { elements, dataset: { plan } } = form;
  const title = "title" in form.dataset;
  const amount = title ? "1" : atomic(elements.amount.value, unitDecimals);
  const price = atomic(elements.price.value, decimals);
  const goods = title ? { title, more: bundled(form) } : { plan };
  const wish = { asset: page.asset, amount, price, days: Number(elements.days.value), ...goods };
  const { permit, approvals, offer } = await ask("POST", `${OFFERS}/requests`, wish);
  if (!isOffer(offer, wish) || (permit && !isPermit(permit))) throw new Error(texts.otherCall);
  if (permit) {
    await fill(permit);
    offer.body.permit = permit.body;
  } else await approve(approvals.filter(({ sent }) => !sent), wish);
  await fill(offer);
  try {
    await send(offer);
  } catch (error) {
    if (!NOT_SENT.includes(error.code) || !permit) throw error;
    await approve(approvals, wish);
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
  await perform(transactions.filter(({ sent }) => !sent), page.shares, COLLECT, paysUs);
  reload(page.collected);
}

const ACTIONS = { buy, sell, cancel, collect };

// What of the price is left for the title, and what the seller gets: shares pay no royalty.
function showTitle(form) {
  const outputs = form.querySelectorAll("output");
  const price = units(form.elements.price.value, decimals);
  const parts = [...form.querySelectorAll("[data-bundled]")].map((part) => {
    const [amount, of] = [...part.querySelectorAll("input")].map((each) => each.value.trim());
    return { royal: part.dataset.plan, price: amount ? units(of, decimals) : 0n };
  });
  const known = price && parts.every((each) => each.price !== null);
  const left = known ? parts.reduce((sum, each) => sum - each.price, price) : 0n;
  const taken = (amount, bps) => amount * BigInt(bps) / 10_000n;
  const gets = () => [{ royal: true, price: left }, ...parts].filter(({ royal }) => royal)
    .reduce((sum, each) => sum - taken(each.price, page.royalty), price - taken(price, page.deducted - page.royalty));
  const shown = left > 0n ? [left, gets()] : [];
  outputs.forEach((output, at) => { output.textContent = at in shown ? coins(shown[at], decimals) : "–"; });
}

// The price of what is typed, and as the most to pay until another is typed.
function show(form) {
  if (form.dataset.trade === "buy") {
    if (!form.elements.amount) return;
    const part = units(form.elements.amount.value, unitDecimals);
    const total = part && priceUp(part, BigInt(form.dataset.amount), BigInt(form.dataset.price));
    form.querySelector("output").textContent = total ? coins(total, decimals) : "–";
    if (total && !("typed" in form.elements.most.dataset)) form.elements.most.value = coins(total, decimals);
    return;
  }
  if ("title" in form.dataset) return showTitle(form);
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
