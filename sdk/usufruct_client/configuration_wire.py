"""The configuration that shareholders voted for, as a service's card names it."""

from pydantic import StrictStr

from usufruct_client.wire_types import HashText, Plain


class VotedConfiguration(Plain):
    """What a service's card says of its configuration.

    `digest`: SHA-256 of the document in force, which receipts name as `modelDigest`; None: none is in force. `entry`:
    the newest in the registry. `problem`: why that is not in force. `transaction` and `proposal`: what set the one in
    force, where that is known.
    """

    digest: HashText | None
    entry: StrictStr
    problem: StrictStr
    transaction: StrictStr
    proposal: StrictStr
