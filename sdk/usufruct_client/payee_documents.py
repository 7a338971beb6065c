"""The JSON documents about who is paid for a service. Amounts in atomic units."""

from typing import Literal

from pydantic import StrictStr

from usufruct_client.wire_types import AddressText, Count, Document, Uint256


class PaidPart(Document):
    """What one payee, or `count` of them together, gets of `whole`.

    `owner`: a holder of revenue shares, by their part of them; `royalty`: the shares of a parent asset, called `name`;
    `fee`: the protocol fee, to the operator; `payee`: the address of a service without shares, which gets all.
    """

    role: Literal["owner", "other_owners", "royalty", "fee", "payee"]
    amount: Uint256
    count: Count
    address: AddressText | None = None
    name: StrictStr = ""


class PaidParts(Document):
    """`GET /v1/payees/{asset}`: how `whole`, one coin of what callers pay, is divided.

    Every part is rounded down: together they may be some units less than `whole`.
    """

    whole: Uint256
    owners: Count
    parts: list[PaidPart]
