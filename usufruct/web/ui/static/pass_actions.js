// Prepaid credits: buy packages, activate credits, make a key that pays with them, give them back.

import { API_KEY, keep } from "./page.js";
import { packages } from "./passes.js";
import { page, texts, unitDecimals } from "./trade.js";
import { callData, perform } from "./transactions.js";
import { ask, atomic, fill, reload, send, sign } from "./wallet.js";

const PASSES = `/v1/passes/${page.asset}`;
const GRANTS = "/v1/pass-grants";
const BUY = "buy(uint256,uint128,address)";
const APPROVE = "approve(address,uint256)";
const ACTIVATE = "activate(uint256,uint256,address)";
const REFUNDS = ["refund(uint256,uint256,address)", "refundActivated(uint256,address,uint256,address)"];
const UNLIMITED = 2n ** 128n - 1n;
const DAY_SECONDS = 86_400;
const CLOCK_SECONDS = 3_600;  // that this clock may be behind

const made = document.getElementById("made-grant");

// A passkey shows nothing of what it signs: that the operation buys these packages, for no more than this, is checked here.
async function isPurchase({ document }, { plan, packages, maxPrice }, token) {
  const { callsOf } = await import("./keccak.js");
  const [approve, buy, ...more] = callsOf(document, texts.payer);
  const upTo = await callData(APPROVE, page.passes);
  return approve?.to === token && approve.value === 0n && approve.data.startsWith(upTo)
    && approve.data.length === upTo.length + 64 && BigInt(`0x${approve.data.slice(upTo.length)}`) <= BigInt(maxPrice)
    && buy?.to === page.passes && buy.value === 0n && buy.data === await callData(BUY, plan, packages, texts.payer)
    && more.length === 0;
}

async function buy(form) {
  const { plan, price, token, bought } = form.dataset;
  const count = packages(form);
  const wish = { plan, packages: count, maxPrice: String(BigInt(price) * BigInt(count)), bought };
  const { request, transactions } = await ask("POST", `${PASSES}/packages`, wish);
  if (request) {
    if (!await isPurchase(request, wish, token)) throw new Error(texts.otherCall);
    await fill(request);
    await send(request);
  } else if (transactions.some(({ sent }) => !sent)) {
    const { transactAll } = await import("./wallet_calls.js");
    await transactAll(transactions, transactions[0].chainId, () => {});
  }
  reload(page.bought);
}

async function activate(form) {
  const { plan } = form.dataset;
  const amount = atomic(form.elements.amount.value, unitDecimals);
  const { transactions } = await ask("POST", `${PASSES}/activation`, { plan, amount });
  const wanted = await callData(ACTIVATE, plan, amount);
  const left = transactions.filter(({ sent }) => !sent);
  await perform(left, page.passes, [ACTIVATE], ({ data }) => data.startsWith(wanted));
  reload(form.dataset.done);
}

// Of each function the plan comes first, and last who is paid.
async function refund(form) {
  const { plan } = form.dataset;
  const { transactions } = await ask("POST", `${PASSES}/refund`, { plan });
  const [of, us] = (await callData(REFUNDS[0], plan, texts.payer)).slice(10).match(/.{64}/g);
  const fits = ({ data }) => data.slice(10, 74) === of && data.endsWith(us);
  await perform(transactions.filter(({ sent }) => !sent), page.passes, REFUNDS, fits);
  reload(form.dataset.done);
}

function isGrant({ document }, { plan, limit, days }) {
  if (!document) return true;
  const { primaryType, message, domain } = document;
  const last = Date.now() / 1000 + days * DAY_SECONDS + CLOCK_SECONDS;
  return primaryType === "PassGrant" && BigInt(message.pass) === BigInt(plan)
    && BigInt(message.limit) === (limit === null ? UNLIMITED : BigInt(limit)) && Number(message.expiresAt) <= last
    && domain.verifyingContract.toLowerCase() === page.passes;
}

async function grant(form) {
  const { elements, dataset: { plan } } = form;
  const limit = elements.limit.value.trim() ? atomic(elements.limit.value, unitDecimals) : null;
  const wish = { plan, limit, days: Number(elements.days.value) };
  const request = await ask("POST", `${GRANTS}/requests`, wish);
  if (!isGrant(request, wish)) throw new Error(texts.otherCall);
  const { key } = await sign(request);
  document.getElementById("made-key").textContent = key;
  keep("sessionStorage", API_KEY, key);  // for the playground
  made.showModal();
}

export const ACTIONS = { buy, activate, refund, grant };
