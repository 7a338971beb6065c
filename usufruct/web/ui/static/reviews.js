// The page of a service's reviews: a payer's review, which the wallet signs, and a seller's answers.

import { act, ask, sign } from "./wallet.js";

const form = document.getElementById("review");
const { asset } = form.dataset;
const texts = document.getElementById("wallet-texts").dataset;

// Passkeys show nothing of what they sign: that it is this review is checked here.
function isReview({ primaryType, message }, { rating, text }) {
  const same = BigInt(message.asset) === BigInt(asset) && Number(message.rating) === rating && message.text === text;
  return primaryType === "Review" && same;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  act(form.querySelector("[type=submit]"), async () => {
    const { rating, text } = form.elements;
    const said = { asset, rating: Number(rating.value), text: text.value };
    const request = await ask("POST", "/v1/reviews/requests", said);
    if (request.passkey && !isReview(request.document, said)) throw new Error(texts.otherCall);
    await sign(request);
    location.assign(location.pathname);
  });
});

for (const answer of document.querySelectorAll("form[data-answer]")) {
  answer.addEventListener("submit", (event) => {
    event.preventDefault();
    act(answer.querySelector("[type=submit]"), async () => {
      await ask("POST", `/v1/reviews/${asset}/${answer.dataset.answer}/answer`, { text: answer.elements.text.value });
      location.reload();
    });
  });
}
