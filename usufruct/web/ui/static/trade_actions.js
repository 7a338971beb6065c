// Trade in revenue shares, prepaid credits and titles: buy of an offer, sell by one, cancel one, collect income.

import { bytes, hex } from "./hex.js";
import { OFFERS, PURCHASES, decimals, page, texts, unitDecimals } from "./trade.js";
import { COLLECT, paysUs, perform } from "./transactions.js";
import { ask, atomic, fill, forget, reload, send, transact } from "./wallet.js";

const ERC20 = 0, ERC721 = 1, ERC1155 = 2;  // kinds of items on the exchange
const DAY_SECONDS = 86_400;
const CLOCK_SECONDS = 3_600;  // that this clock may be behind
const NOT_SENT = ["not_relayed", "relay_limited", "relay_spent", "relay_failures"];  // the wallet can send it itself

const address = (text) => text.toLowerCase();

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
export async function finish(request) {
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

export const ACTIONS = { buy, sell, cancel, collect };
