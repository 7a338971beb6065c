"""Requests that schemathesis generates from `GET /openapi.json`: each is answered as the document says.

Valid requests are not refused, invalid ones are, and no answer has a status, media type, header or body other than the
described ones. The requests are the same in each run.
"""

import asyncio
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.analytics.conftest import LAST_DAY
from tests.analytics.conftest import snapshot as snapshot
from tests.journeys.test_market_x402 import PLATFORM
from tests.support.devnet_template import DevnetTemplate
from tests.support.market_archive import simulated_inputs, write_archive
from tests.support.x402_installation import x402_installation
from usufruct.analytics.live.model import LiveTable
from usufruct.analytics.live.price_file import write_table
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.config import GovernanceConfig, MarketsConfig

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
NOT_IN_A_SCHEMA = {"after", "assets", "cursor", "endDate", "id", "ids", "label", "messages", "payment-signature"}
"""Parameters with rules that a schema cannot have, such as a cursor of ours, or a day that is not before another."""
EXAMPLES = 5
INDEX = "top-10"


class Caller:
    """Sends generated requests, and collects what is wrong with the answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.faults: dict[tuple[str, str], str] = {}
        self.statuses: dict[str, set[int]] = {}

    def try_operation(self, operation: APIOperation, mode: GenerationMode, headers: dict[str, str] | None) -> None:
        """Send requests to an operation; `headers`: those that are not generated, None: send none at all."""

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode, headers=headers, query=known_names(operation)))
        def send(case: Case) -> None:
            if headers is None:
                case.headers.clear()
            self.send(case, mode)

        send()

    def send(self, case: Case, mode: GenerationMode) -> None:
        response = case.call(self.url, self.session)
        operation = case.operation
        self.statuses.setdefault(operation.label, set()).add(response.status_code)
        about = f"{case.as_curl_command()} -> {response.status_code} {response.text[:300]}"
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            for each in group.exceptions:
                self.faults.setdefault((operation.label, type(each).__name__), f"{each}: {about}")
        described = operation.definition.raw["responses"]
        if operation.path.startswith("/v2") and str(response.status_code) not in described:
            self.faults.setdefault((operation.label, "a status that is not described"), about)
        refused = response.status_code == 400 and mode is GenerationMode.POSITIVE
        if refused and response.json()["error"]["param"] not in NOT_IN_A_SCHEMA:
            self.faults.setdefault((operation.label, "a valid request is refused"), about)


def public_operations(url: str) -> list[APIOperation]:
    """Return what is read, and all of `/v2`; what revokes the key comes last."""
    found = [each.ok() for each in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations()]
    chosen = [
        each for each in found if (each.method.upper() == "GET" or each.path.startswith("/v2")) and not is_endless(each)
    ]
    return sorted(chosen, key=lambda operation: operation.method.upper() == "DELETE")


def is_endless(operation: APIOperation) -> bool:
    """Tell whether an answer is a stream of events, which ends when its reader leaves."""
    return set(operation.definition.raw["responses"].get("200", {}).get("content", ())) == {"text/event-stream"}


def has_rules(operation: APIOperation) -> bool:
    """Tell whether requests can be invalid: headers are any text, and so are most names in paths."""
    described = operation.definition.raw
    schemas = [each["schema"] for each in described["parameters"]]
    return "requestBody" in described or any(schema != {"type": "string"} for schema in schemas)


def known_names(operation: APIOperation) -> dict[str, str]:
    """Return the index to ask for, where an operation of `/v2` needs one; generated names are those of none."""
    names = {each["name"] for each in operation.definition.raw["parameters"] if each["in"] == "query"}
    return dict.fromkeys(names & {"id", "index_id"}, INDEX)


def try_everything(url: str) -> Caller:
    caller = Caller(url)
    key = caller.session.post(f"{url}/v2/keys").json()["data"][0]["KEY"]
    for operation in public_operations(url):
        headers = {"x-api-key": key} if operation.path.startswith("/v2") else {}
        caller.try_operation(operation, GenerationMode.POSITIVE, headers)
        if has_rules(operation):
            caller.try_operation(operation, GenerationMode.NEGATIVE, headers)
        if "x-payment-info" in operation.definition.raw:
            caller.try_operation(operation, GenerationMode.POSITIVE, None)
    return caller


@pytest.mark.anvil
async def test_generated_requests_are_answered_as_described(
    devnet_template: DevnetTemplate, tmp_path: Path, snapshot: Snapshot
):
    write_snapshot(tmp_path / "ratings", snapshot)
    (tmp_path / "live").mkdir()
    write_table(tmp_path / "live", LiveTable(1, 60, synthetic=True))
    write_archive(tmp_path / "prices", simulated_inputs(LAST_DAY))
    markets = MarketsConfig(api="yes", indices=INDEX, calls_per_month=1_000_000, calls_per_minute=1_000_000)
    voting = GovernanceConfig(quorum_floor="10000000")
    async with x402_installation(
        devnet_template, tmp_path, markets=markets, platform_token=PLATFORM, governance=voting
    ) as world:
        for job in world.installation.jobs():  # in their order: bulletins are made of indices
            if job.name in ("indices", "bulletins", "service-figures"):
                await job.step()
        caller = await asyncio.to_thread(try_everything, world.url.removesuffix("/v1"))
    assert not caller.faults, "\n".join(f"{label}, {kind}: {text}" for (label, kind), text in caller.faults.items())
    read = {label: seen for label, seen in caller.statuses.items() if label.startswith("GET /v2")}
    assert len(read) > 25
    assert all({200, 400, 402} <= seen for label, seen in read.items() if label != "GET /v2/keys/current")
    assert caller.statuses["DELETE /v2/keys/current"] == {200}
    for path in ("/v1/proposals", "/v1/staking/weeks", "/v1/markets", "/v1/markets/briefings", "/v1/services"):
        assert 200 in caller.statuses[f"GET {path}"]
