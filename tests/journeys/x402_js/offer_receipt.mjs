// Reads a PAYMENT-REQUIRED and a PAYMENT-RESPONSE header with x402's unmodified offer-receipt package.
//
// Argument: a JSON object with required, response (headers; response may be ""), payer (an address). Prints one JSON
// object: of the offer its payload, signer and the entry of `accepts` it fits; of the receipt the same, and whether it
// fits the offer. A signature or shape that the package refuses ends the program with its error.

import { decodePaymentRequiredHeader } from "@x402/core/http";
import {
  decodeSignedOffers,
  extractOffersFromPaymentRequired,
  extractReceiptFromResponse,
  findAcceptsObjectFromSignedOffer,
  verifyOfferSignatureEIP712,
  verifyReceiptMatchesOffer,
  verifyReceiptSignatureEIP712,
} from "@x402/extensions/offer-receipt";

const { required, response, payer } = JSON.parse(process.argv[2]);
const wanted = decodePaymentRequiredHeader(required);
const [signedOffer] = extractOffersFromPaymentRequired(wanted);
const [offer] = decodeSignedOffers([signedOffer]);
const found = {
  offer: {
    ...(await verifyOfferSignatureEIP712(signedOffer)),
    accepted: findAcceptsObjectFromSignedOffer(offer, wanted.accepts) ?? null,
  },
};
const receipt = response
  ? extractReceiptFromResponse(new Response("", { headers: { "PAYMENT-RESPONSE": response } }))
  : undefined;
if (receipt) {
  found.receipt = {
    ...(await verifyReceiptSignatureEIP712(receipt)),
    fits: verifyReceiptMatchesOffer(receipt, offer, [payer]),
  };
}
process.stdout.write(JSON.stringify(found));
