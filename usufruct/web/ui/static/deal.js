// The page of a deal: pay in, take a refund, claim tokens. What is signed or sent is checked against what this page shows.

import { callData } from "./transactions.js";
import { act, ask, atomic, fill, reload, resume, send } from "./wallet.js";

const page = document.getElementById("deal").dataset;
const texts = document.getElementById("wallet-texts").dataset;
const APPROVE = "approve(address,uint256)";
const VERBS = { subscribe: "subscribe(bytes32,uint256)", refund: "refund(bytes32,address)", claim: "claim(bytes32,address)" };

// The calls that do it: no others are signed or sent.
async function callsFor(action, amount) {
  if (action !== "subscribe") return [{ to: page.room, data: await callData(VERBS[action], page.deal, texts.payer) }];
  return [
    { to: page.token, data: await callData(APPROVE, page.room, amount) },
    { to: page.room, data: await callData(VERBS.subscribe, page.deal, amount) },
  ];
}

function check(calls, wanted) {
  const same = calls.length === wanted.length && wanted.every(({ to, data }, at) => calls[at].to === to
    && calls[at].data === data && BigInt(calls[at].value) === 0n);
  if (!same) throw new Error(texts.otherCall);
}

async function perform(form) {
  const { action, done } = form.dataset;
  const amount = action === "subscribe" ? atomic(form.elements.amount.value, Number(page.decimals)) : undefined;
  const paid = amount && page.paid;
  const wish = { account: texts.payer, action, ...(amount && { amount, paid }) };
  const { request, transactions } = await ask("POST", `/v1/deals/${page.deal}/calls`, wish);
  const wanted = await callsFor(action, amount);
  if (request) {
    const { callsOf } = await import("./keccak.js");
    check(callsOf(request.document, texts.payer), wanted);
    await fill(request);
    await send(request);
  } else {
    check(transactions, wanted);
    const { transactAll } = await import("./wallet_calls.js");
    await transactAll(transactions, transactions[0].chainId, () => {});
  }
  reload(done);
}

for (const form of document.querySelectorAll("form[data-action]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form.querySelector("[type=submit]"), () => perform(form));
  });
}

resume(async (request) => {
  await send(request);
  location.reload();
});
