"""Reads the calls of a proposal that is being written: as text, or as target and data."""

from collections.abc import Sequence

from usufruct.chain import Call
from usufruct.governance.call_text import called_address, read_call
from usufruct.governance.errors import InvalidCall
from usufruct.governance.known_contracts import KnownContracts
from usufruct_client.draft_documents import DraftCall


async def read_draft_calls(drafts: Sequence[DraftCall], known: KnownContracts) -> list[Call]:
    """Return the calls of a draft, in their order.

    Raises:
        InvalidCall: when one has both forms or neither; names its number.
        Invalid: as `read_call`.
        RpcUnavailable: when the node does not answer.
    """
    await known.learn(filter(None, (called_address(each.call) for each in drafts)))
    return [_read(number, each, known) for number, each in enumerate(drafts, 1)]


def _read(number: int, draft: DraftCall, known: KnownContracts) -> Call:
    if bool(draft.call) == (draft.target is not None):
        raise InvalidCall(
            f"call {number}: write `call`, or `target` and `data`; `value` is wei of the chain's coin", field="calls"
        )
    if draft.target is None:
        return read_call(draft.call, known, draft.value)
    return Call(draft.target, draft.data, draft.value)
