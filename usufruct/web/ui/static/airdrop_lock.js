// The page of airdrops: the signed-in account claims its entry straight into a lock, by passkey or by wallet.

import { act, ask, fill, reload, resume, send, transact } from "./wallet.js";

const texts = document.getElementById("wallet-texts").dataset;
const LOCK = "claimAndLock(uint256,uint256,uint256,bytes32[])";

// A passkey shows nothing of what it signs: that the operation locks this entry for so long is checked here.
async function isLock({ document }, { contract, index, amount }, weeks) {
  const { callsOf } = await import("./keccak.js");
  const { callData } = await import("./transactions.js");
  const [call, ...more] = callsOf(document, texts.payer);
  return call?.to === contract && call.value === 0n && more.length === 0
    && call.data.startsWith(await callData(LOCK, index, amount, weeks));
}

async function lock(form) {
  const weeks = Number(form.elements.weeks.value);
  const { operation, transactions } = await ask("POST", `/v1/airdrops/${form.dataset.lock}/${texts.payer}/lock-requests`, { weeks });
  if (operation) {
    if (!await isLock(operation, form.dataset, weeks)) throw new Error(texts.otherCall);
    await fill(operation);
    await send(operation);
  } else {
    for (const each of transactions.filter(({ sent }) => !sent)) await transact(each, each.chainId);
  }
  reload(form.dataset.done);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-lock]");
  if (!form) return;
  event.preventDefault();
  act(event.submitter, () => lock(form));
});

resume(async (request) => {
  await send(request);
  location.reload();
});
