// Transactions that the signed-in account decides: its wallet sends them, or its passkey signs them and the relayer sends them.

import { ask, fill, send, transact } from "./wallet.js";

const texts = document.getElementById("wallet-texts").dataset;

// The functions of the shares by which their holder collects income.
export const COLLECT = ["collectAll(address[],address)", "collectTo(address,address)", "accrueAndCollect(address,address)"];

// Whether such a call pays the signed-in account: the second argument of each is who is paid.
export const paysUs = ({ data }) => data.slice(74, 138) === texts.payer.slice(2).padStart(64, "0");

// A passkey's prompt shows nothing of what it signs: that the operation is this transaction is checked here.
async function relay({ to, data }, contract, functions, fits) {
  const { callsOf, selector } = await import("./keccak.js");
  const wanted = to === contract && functions.some((each) => data.startsWith(selector(each))) && fits({ data });
  if (!wanted) throw new Error(texts.otherCall);
  const request = await ask("POST", "/v1/account/wallet/operations", { calls: [{ to, data }] });
  const [call, ...more] = callsOf(request.document, texts.payer);
  if (call?.to !== to || call.data !== data || call.value || more.length) throw new Error(texts.otherCall);
  await fill(request);
  await send(request);
}

// Has the account make transactions, one after the other; a passkey signs only those of `functions` of `contract` that fit.
export async function perform(transactions, contract, functions, fits = () => true) {
  for (const each of transactions) {
    if ("byPasskey" in texts) await relay(each, contract, functions, fits);
    else await transact(each, each.chainId);
  }
}
