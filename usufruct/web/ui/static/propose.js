// A proposal that is being written: what the server shows of it gets the focus; its last button has the account propose it.

import { perform } from "./transactions.js";
import { act, ask, leave, resume, send } from "./wallet.js";

const texts = document.getElementById("wallet-texts").dataset;
const PROPOSE = "propose(address[],uint256[],bytes[],string)";

// Also a wallet, which shows a call in bytes, is asked for nothing but the proposal that the page shows.
async function run({ path, page, governor, call, wish, anyway, done }) {
  const body = { ...JSON.parse(wish), anyway: anyway !== undefined };
  const { sent, ...transaction } = await ask("POST", path, body);
  if (!sent) {
    const { to, data, value } = transaction;
    if (to !== governor || data !== call || value !== "0") throw new Error(texts.otherCall);
    await perform([transaction], governor, [PROPOSE]);
  }
  leave(page, done);
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "propose") return;
  event.preventDefault();
  act(event.submitter, () => run(event.target.dataset));
});

document.addEventListener("htmx:after:swap", () => {
  document.querySelector("#draft [aria-invalid], #draft [role=alert], #draft [data-focus]")?.focus();
});

resume(async (request) => {
  await send(request);
  location.reload();
});
