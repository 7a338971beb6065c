// The receipt on a page: on a tap the browser checks it, and says of each thing whether it was checked or trusted.

import { contentOf, failed, fetchAnswer } from "./page.js";

const base = document.body.dataset.base;
const called = new Map();

// What this page sent, and the deltas that it got if it got all of them: the call's receipt is compared with them.
export const remember = (call, request, deltas) => called.set(call, { request, deltas });

async function fetched(path) {
  const answer = await fetchAnswer(base + path);
  const content = await contentOf(answer);
  return answer.ok ? content : { error: content.error };
}

function mark(place, name, state, detail = "") {
  const line = place.querySelector(`[data-check=${name}]`);
  const status = line.querySelector(".status");
  line.hidden = false;
  status.className = `status ${{ good: "good", bad: "bad" }[state] ?? "idle"}`;
  status.textContent = line.dataset[state];
  line.querySelector("code").textContent = detail;
  return state !== "bad";
}

const judged = (fine) => (fine ? "good" : "bad");

async function check(place, receipt) {
  const { addsUp, answerText, proves, signer, textHash } = await import("./receipt_checks.js");
  const [terms, proof] = await Promise.all([fetched("/v1/terms"), fetched(`/v1/proofs/${receipt.call}`)]);
  const recovered = signer(receipt);
  const fine = [
    mark(place, "charge", judged(addsUp(receipt))),
    mark(place, "signature", judged(recovered && recovered === receipt.signer.toLowerCase()), recovered ?? ""),
  ];
  if (terms.error) {
    fine.push(mark(place, "operator", "unknown"));
  } else {
    const keys = [terms.receiptSigner, ...terms.earlierReceiptSigners];
    const ours = terms.till === receipt.till.toLowerCase() && String(terms.chainId) === String(receipt.chainId);
    fine.push(mark(place, "operator", judged(ours && keys.includes(recovered)), terms.receiptSigner));
  }
  if (proof.error) {
    fine.push(mark(place, "proof", "unknown", proof.error.message));
  } else {
    const proven = proves(proof, receipt);
    fine.push(mark(place, "proof", judged(proven), proof.root));
    if (proven) mark(place, "root", "unknown", proof.transaction);
  }
  const known = called.get(receipt.call);
  if (known) {
    fine.push(mark(place, "request", judged(textHash(known.request) === receipt.requestHash)));
    if (known.deltas) fine.push(mark(place, "answer", judged(textHash(answerText(known.deltas)) === receipt.responseHash)));
  }
  return fine.every(Boolean);
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-verify]");
  if (!button) return;
  const place = button.closest("[data-receipt]");
  button.disabled = true;
  try {
    const fine = await check(place, JSON.parse(place.querySelector("#receipt-json").textContent));
    place.querySelector("[data-checks]").hidden = false;
    for (const each of place.querySelectorAll("[data-verdict]")) each.hidden = each.dataset.verdict !== judged(fine);
  } catch (error) {
    failed(error);
  } finally {
    button.disabled = false;
  }
});
