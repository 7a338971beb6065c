// Transactions that the signed-in account decides: its wallet sends them, or its passkey signs them and the relayer sends them.

import { ask, fill, send, transact } from "./wallet.js";

// The functions of the shares by which their holder collects income.
export const COLLECT = ["collectAll(address[],address)", "collectTo(address,address)", "accrueAndCollect(address,address)"];

const texts = document.getElementById("wallet-texts").dataset;

// A passkey's prompt shows nothing of what it signs: that the operation is this transaction is checked here.
async function relay({ to, data }, contract, functions) {
  const { batchOf, selector } = await import("./keccak.js");
  const request = await ask("POST", "/v1/account/wallet/operations", { calls: [{ to, data }] });
  const { message } = request.document;
  const [call, ...more] = batchOf(message.callData);
  const same = call.to === to && call.data === data && call.value === 0n && more.length === 0
    && message.sender.toLowerCase() === texts.payer && to === contract
    && functions.some((each) => data.startsWith(selector(each)));
  if (!same) throw new Error(texts.otherCall);
  await fill(request);
  await send(request);
}

// Has the account make transactions, one after the other; a passkey signs only those of `functions` of `contract`.
export async function perform(transactions, contract, functions) {
  for (const each of transactions) {
    if ("byPasskey" in texts) await relay(each, contract, functions);
    else await transact(each, each.chainId);
  }
}
