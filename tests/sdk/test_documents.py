"""Documents as they travel: what is wrong with one is named, with the value and what it must be."""

import pytest

from usufruct_client.wire import DepositWish, KeyWish, Terms
from usufruct_client.wire_types import read
from usufruct_client.x402 import Payment

ADDRESS, HASH = "0x" + "ab" * 20, "0x" + "cd" * 32
MISTYPED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeE"
CHANNEL = {
    **dict.fromkeys(("payer", "payerAuthorizer", "receiver", "receiverAuthorizer", "token"), ADDRESS),
    "withdrawDelay": 86_400,
    "salt": HASH,
}
SIGNED = {"validAfter": "0", "validBefore": "1900000000", "salt": HASH, "signature": "0x" + "ef" * 65}
DEPOSIT = {
    "channelConfig": CHANNEL,
    "deposit": {"amount": "5000", "authorization": {"erc3009Authorization": SIGNED}},
}
KEY = {
    "payer": ADDRESS,
    "spendingLimit": "5",
    "expiresAt": 1_900_000_000,
    "assets": ["b", "a"],
    "label": "laptop",
    "nonce": "1",
    "signature": "0x" + "ef" * 65,
}


class Wrong(Exception):
    pass


def refuse(message, name):
    return Wrong(message, name)


@pytest.mark.parametrize(("kind", "content"), [(DepositWish, DEPOSIT), (KeyWish, KEY)])
def test_what_is_read_is_written_alike(kind, content):
    document = read(kind, content, refuse)
    assert read(kind, document.as_json(), refuse) == document
    assert hash(document) == hash(read(kind, content, refuse))


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"spendingLimit": 5}, "spendingLimit", "spendingLimit must be a whole number as text, from 0 to 3402"),
        ({"spendingLimit": str(1 << 128)}, "spendingLimit", "not '340282366920938463463374607431768211456'"),
        ({"spendingLimit": "-1"}, "spendingLimit", "not '-1'"),
        ({"expiresAt": True}, "expiresAt", "a whole number from 0 to 1099511627775, not True"),
        ({"expiresAt": 1.0}, "expiresAt", "not 1.0"),
        ({"payer": "me"}, "payer", "payer must be an address: 0x and 40 hex digits, not 'me'"),
        ({"payer": MISTYPED}, "payer", "checksum"),
        ({"assets": "a"}, "assets", "a list of texts"),
        ({"label": 1}, "label", "label must be text, not 1"),
        ({"signature": "0x1"}, "signature", "0x and hex digits"),
        ({"signature": "12" * 65}, "signature", "0x and hex digits"),
        ({"more": 1}, "more", "more is not known here; leave it out (known: payer, spendingLimit, expiresAt"),
    ],
)
def test_a_wrong_member_is_named_with_its_value_and_its_rule(change, field, message):
    with pytest.raises(Wrong) as refused:
        read(KeyWish, KEY | change, refuse)
    told, name = refused.value.args
    assert name == field
    assert message in told


def test_inner_members_are_named_by_their_path():
    deposit = {"amount": "5000", "authorization": {"erc3009Authorization": SIGNED | {"salt": "1"}}}
    with pytest.raises(Wrong) as refused:
        read(DepositWish, DEPOSIT | {"deposit": deposit}, refuse)
    assert refused.value.args[1] == "deposit.authorization.erc3009Authorization.salt"
    with pytest.raises(Wrong, match=r"deposit\.authorization is missing"):
        read(DepositWish, DEPOSIT | {"deposit": {"amount": "1"}}, refuse)
    with pytest.raises(Wrong, match="the terms must be an object, not 3"):
        read(Terms, 3, refuse, "the terms")


def test_long_values_are_cut():
    with pytest.raises(Wrong) as refused:
        read(KeyWish, KEY | {"label": ["x" * 10_000]}, refuse)
    assert len(refused.value.args[0]) < 200


@pytest.mark.parametrize("given", ["a" * 15, "a" * 129, "a b c d e f g h i j", 5])
def test_a_payment_identifier_has_its_form(given):
    voucher = {"channelId": HASH, "maxClaimableAmount": "7", "signature": "0x" + "ef" * 65}
    payment = {
        "accepted": {"amount": "7"},
        "payload": {"type": "voucher", "channelConfig": CHANNEL, "voucher": voucher},
        "extensions": {"payment-identifier": {"info": {"required": False, "id": "a" * 16}}},
    }
    assert read(Payment, payment, refuse).identifier == "a" * 16
    payment["extensions"]["payment-identifier"]["info"]["id"] = given
    with pytest.raises(Wrong, match=r"extensions\.payment-identifier\.info\.id must be 16 to 128"):
        read(Payment, payment, refuse)
