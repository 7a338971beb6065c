"""What machines read: each document by an unmodified reader where there is one, with names that try to break it."""

import json
import re

import httpx
import pytest
from x402.extensions.bazaar import (
    extract_discovery_info_from_extension,
    validate_discovery_extension,
    validate_discovery_extension_spec,
)

from tests.support.html_page import HtmlPage
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, ChainId, checksum
from usufruct.gateway import Operator
from usufruct.gateway.did_document import did_document
from usufruct.payments.pricing import Escrow
from usufruct.payments.x402 import discovery_extension

BAD = "a\"'></script><script>alert(1)</script>](x) *b*"
UPSTREAM = "http://127.0.0.1:1/v1"


@pytest.fixture
async def site(world):
    async with httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=60) as client:
        yield client


@pytest.mark.parametrize("operation", ["chat", "embeddings", "images"])
def test_x402s_own_reader_takes_the_bazaar_declaration(operation):
    declared = discovery_extension(operation, BAD)
    assert validate_discovery_extension_spec(declared).valid
    checked = validate_discovery_extension(declared)
    assert checked.valid, checked.errors
    info = extract_discovery_info_from_extension(declared)
    assert (info.input.method, info.input.body_type, info.input.body["model"]) == ("POST", "json", BAD)


async def test_llms_txt_has_a_title_a_summary_and_links_that_lead_somewhere(world, site):
    await world.asset("librarian", UPSTREAM)
    await world.asset(BAD, UPSTREAM)
    text = (await site.get("/llms.txt")).text
    lines = text.splitlines()
    assert lines[0] == "# Usufruct"
    assert lines[2].startswith("> ")
    assert [line for line in lines if line.startswith("## ")] == ["## Interfaces", "## Services"]
    links = re.findall(r"(?<!\\)\[(?:\\.|[^\]\\])*\]\(([^)\s]+)\)", text)
    assert len(links) == 8
    for link in links:
        if not link.endswith(("/v1/terms", "/openapi.json")):  # of other components
            assert (await site.get(link)).status_code == 200, link
    assert "1 / 3 USD per million text_token in / out, 0.000005 per call" in text


async def test_llms_txt_says_how_many_services_there_are_and_where_the_rest_is(world, site):
    for number in range(25):
        await world.asset(f"model-{number:02}", UPSTREAM)
    text = (await site.get("/llms.txt")).text
    assert "24 of 25." in text
    rest = re.search(r"The rest: (\S+)", text)
    assert rest is not None
    second = (await site.get(rest[1])).json()
    named = re.findall(r"^- \[model", text, re.MULTILINE)
    assert len(named) == 24
    assert (second["total"], len(second["services"])) == (25, 1)


async def test_well_known_documents_name_addresses_of_this_gateway(world, site):
    resources = (await site.get("/.well-known/x402")).json()
    assert resources == {"version": 1, "resources": []}  # this gateway takes keys only
    agent = (await site.get("/.well-known/agent-registration.json")).json()
    assert agent["type"] == "https://eips.ethereum.org/EIPS/eip-8004#registration-v1"
    assert {"name", "description", "image", "services", "x402Support", "active", "registrations"} <= set(agent)
    root = str(site.base_url).rstrip("/")
    endpoints = {each["name"]: each["endpoint"] for each in agent["services"]}
    assert endpoints.pop("DID") == "did:web:" + root.removeprefix("http://").replace(":", "%3A")
    assert all(endpoint.startswith(root) for endpoint in endpoints.values())
    assert (await site.get(agent["image"])).status_code == 200


async def test_the_did_document_names_the_keys_that_sign_receipts(world, site):
    document = (await site.get("/.well-known/did.json")).json()
    agent = (await site.get("/.well-known/agent-registration.json")).json()
    assert document["id"] in [each["endpoint"] for each in agent["services"]]
    (key,) = document["verificationMethod"]
    assert document["assertionMethod"] == [key["id"]]
    assert (key["type"], key["controller"]) == ("EcdsaSecp256k1RecoveryMethod2020", document["id"])
    operator = world.gateway.pipeline.operator
    assert key["blockchainAccountId"].lower() == f"eip155:{operator.escrow.chain_id}:{operator.receipts.address}"


def test_earlier_keys_stay_in_the_did_document_and_a_port_is_written_as_did_web_wants():
    earlier = Address("0x" + "11" * 20)
    operator = Operator(Escrow(ChainId(8453)), earlier, earlier, KeySigner(b"\x07" * 32), earlier_signers=(earlier,))
    document = did_document("https://ai.example.org:8402", operator)
    assert document["id"] == "did:web:ai.example.org%3A8402"
    accounts = [each["blockchainAccountId"] for each in document["verificationMethod"]]
    assert accounts == [f"eip155:8453:{checksum(each)}" for each in (operator.receipts.address, earlier)]
    assert len(document["assertionMethod"]) == 2


async def test_a_service_says_itself_in_schema_org_and_no_name_ends_the_script(world, site):
    await world.asset(BAD, UPSTREAM)
    link = next(link for link in HtmlPage((await site.get("/")).text).links if link.startswith("/s/"))
    page = (await site.get(link)).text
    assert "<script>alert" not in page
    content = re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page)[1]
    said = json.loads(content)
    assert (said["@context"], said["@type"], said["name"]) == ("https://schema.org", "Service", BAD)
    prices = said["offers"]["priceSpecification"]
    assert [each["price"] for each in prices] == ["1", "3", "0.000005"]
    assert {each["priceCurrency"] for each in prices} == {"USD"}
