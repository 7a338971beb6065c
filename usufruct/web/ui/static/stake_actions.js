// Changes of a lock: a passkey signs one operation, a wallet a permit and one transaction, or its transactions.

import { callData } from "./transactions.js";
import { ask, fill, reload, send, sign, transact } from "./wallet.js";

const texts = document.getElementById("wallet-texts").dataset;
const { escrow, token, reinvestor } = document.getElementById("stake").dataset;

// The calls that a change may be, in this order.
const CALLS = {
  lock: ({ amount, weeks }) => [approve(amount), ["lock(uint256,uint256)", amount, weeks]],
  increase: ({ amount }) => [approve(amount), ["increase(uint256)", amount]],
  extend: ({ weeks }) => [["extend(uint256)", weeks]],
  renew: () => [["startRenewal()"]],
  stopRenewal: () => [["stopRenewal()"]],
  withdraw: () => [["withdraw(address)", texts.payer]],
  exit: ({ amount }) => [["exitEarly(uint256,address)", amount, texts.payer]],
  claim: () => [["claim(address)", texts.payer], ["claimPenalties(address)", texts.payer]],
  delegate: ({ to }) => [["delegate(address)", to]],
  reinvest: ({ amount }, [call]) => [["reinvest(address,uint256,uint256)", reinvestor, amount, lastWord(call.data)]],
};

// The deadline: any will do.
const lastWord = (data) => BigInt(`0x${data.slice(-64)}`).toString();

const approve = (amount) => ["approve(address,uint256)", escrow, amount];

// A passkey shows nothing of what it signs: that the operation is this change alone is checked here.
async function isChange({ document }, wish) {
  const { callsOf } = await import("./keccak.js");
  const calls = callsOf(document, texts.payer);
  const wanted = await Promise.all(CALLS[wish.action](wish, calls).map(async (call) => {
    return { to: call[0].startsWith("approve(") ? token : escrow, data: await callData(...call) };
  }));
  const same = (call, other) => call?.to === other.to && call.value === 0n && call.data === other.data;
  if (wish.action !== "claim") return calls.length === wanted.length && wanted.every((each, at) => same(calls[at], each));
  const claimed = calls.map((call) => wanted.findIndex((each) => same(call, each)));  // one of both, or both in order
  return claimed.length > 0 && claimed.every((found, at) => found > (at ? claimed[at - 1] : -1));
}

function isPermit({ document: { primaryType, domain, message } }, { amount }) {
  return primaryType === "Permit" && message.spender.toLowerCase() === escrow && BigInt(message.value) === BigInt(amount)
    && domain.verifyingContract.toLowerCase() === token;
}

function wishOf({ action, amount, weeks, to, seen }) {
  const wish = { action, seen };
  if (amount) wish.amount = amount;
  if (weeks) wish.weeks = Number(weeks);
  if (to) wish.to = to;
  return wish;
}

export async function perform(form) {
  const wish = wishOf(form.dataset);
  const { operation, permit, transactions } = await ask("POST", "/v1/staking/requests", wish);
  if (operation) {
    if (!await isChange(operation, wish)) throw new Error(texts.otherCall);
    await fill(operation);
    await send(operation);
  } else if (permit) {
    if (!isPermit(permit, wish)) throw new Error(texts.otherCall);
    const { transactions: [call] } = await sign(permit);
    await transact(call, call.chainId);
  } else if (transactions.some(({ sent }) => !sent)) {
    const { transactAll } = await import("./wallet_calls.js");
    await transactAll(transactions, transactions[0].chainId, () => {});
  }
  reload(form.dataset.done);
}
