"""Good and bad receipts are told apart by the library as in `receipt_vectors.json`; the browser is held to the same."""

import json
from pathlib import Path

import pytest

from usufruct_client import proves, read_receipt
from usufruct_client.bill_lines import charge_faults
from usufruct_client.receipt import ReceiptProof
from usufruct_client.wire_types import read_answer

SHARED = json.loads((Path(__file__).parents[1] / "support" / "receipt_vectors.json").read_text())


@pytest.mark.parametrize("vector", SHARED["vectors"], ids=lambda vector: vector["name"])
def test_each_fault_is_found_and_no_other(vector):
    receipt, terms = read_receipt(vector["receipt"]), SHARED["terms"]
    proof = read_answer(ReceiptProof, vector["proof"], "proof")
    signer = receipt.signed_by()
    keys = {terms["receiptSigner"], *terms["earlierReceiptSigners"]}
    ours = receipt.till == terms["till"] and receipt.chain_id == terms["chainId"]
    assert {
        "charge": not charge_faults(receipt.lines, receipt.ceiling, receipt.amount),
        "signature": signer == receipt.signer,
        "operator": ours and signer in keys,
        "proof": proves(proof, receipt.digest()),
    } == vector["expects"]
