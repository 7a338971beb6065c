"""The kit through the production server: headers, languages, compression, fragments, errors, static files."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from importlib.resources import files

import httpx
import pytest

from tests.support.gateway_server import served
from tests.support.html_page import HtmlPage
from usufruct.config import InvalidSetting, load_config
from usufruct.web import Router, at_public_url
from usufruct.web.ui import Pages, Site, configured_site, gallery_routes

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HTMX = {"hx-request": "true"}


def application(site: Site | None = None):
    pages = Pages(site or Site(), gallery=True)
    return Router([*pages.static.routes, *gallery_routes(pages)], error_page=pages.error_page)


@asynccontextmanager
async def opened(app) -> AsyncIterator[httpx.AsyncClient]:
    async with served(app) as (_, url, _), httpx.AsyncClient(base_url=url.removesuffix("/v1"), timeout=120) as client:
        yield client


@pytest.fixture
async def site():
    async with opened(application()) as client:
        yield client


async def test_a_page_may_load_and_run_only_what_is_ours(site):
    answers = [await site.get("/_gallery") for _ in range(2)]
    nonces = [re.search("'nonce-([^']{20,})'", each.headers["content-security-policy"])[1] for each in answers]
    assert nonces[0] != nonces[1]
    policy = dict(part.split(" ", 1) for part in answers[0].headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonces[0]}'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "htmx",
    }
    assert answers[0].headers["x-content-type-options"] == "nosniff"
    page = HtmlPage(answers[0].text)
    loaded = [value for tag, name, value in page.attributes if name == "src" or (tag, name) == ("link", "href")]
    assert loaded
    assert all(each.startswith("/static/") for each in loaded)
    assert not [each for each in page.attributes if each[1].startswith("on") or each[1] == "style"]
    assert not [text for text in page.texts["script"] if text.strip()]


async def test_a_nonce_is_on_every_element_that_htmx_may_act_on(site):
    page = (await site.get("/_gallery")).text
    for tag in re.findall(r"<[^>]* hx-[^>]*>", page):
        assert "hx-nonce=" in tag, tag


async def test_names_from_outside_are_text(site):
    page = await site.get("/_gallery")
    assert "<script>alert" not in page.text
    assert any("<script>alert(1)</script>" in text for text in HtmlPage(page.text).texts["h3"])


async def test_static_files_are_compressed_and_kept_under_the_hash_of_them_all(site):
    page = HtmlPage((await site.get("/_gallery")).text)
    paths = {value for tag, name, value in page.attributes if value and value.startswith("/static/")}
    assert len(paths) == 7
    for path in paths:
        packed = await site.get(path)
        assert (packed.status_code, packed.headers["content-encoding"]) == (200, "gzip")
        assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        plain = await site.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == packed.content
        assert "sandbox" in plain.headers["content-security-policy"]
        old = await site.get(re.sub("/static/[0-9a-f]+/", "/static/0123456789abcdef/", path))
        assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    for bad in ("/static/x/../pages.py", "/static/x/nothing.css", "/static/x/third_party/.installed", "/static/x/"):
        assert (await site.get(bad)).status_code == 404


async def test_scripts_are_served_without_their_lines_of_comment_and_are_otherwise_as_written(site):
    page = HtmlPage((await site.get("/_gallery")).text)
    [path] = {value for _, _, value in page.attributes if value and value.endswith("/page.js")}
    for file in (files("usufruct.web.ui") / "static").iterdir():
        if file.name.endswith(".js"):
            written = file.read_text().splitlines()
            served = (await site.get(path.replace("page.js", file.name))).text.splitlines()
            assert served == [line for line in written if not line.lstrip().startswith("//")]
    third = next(value for _, _, value in page.attributes if value and "/third_party/" in value and ".js" in value)
    name = third.partition("/third_party/")[2]
    shipped = files("usufruct.web.ui") / "static" / "third_party" / name
    assert (await site.get(third)).content == shipped.read_bytes()


@pytest.mark.parametrize(
    "target",
    ["//evil.example/x%3Fy", "//evil.example/x%23y", "//evil.example/x", "/x%3F/../y", "/_gallery?//evil.example"],
)
async def test_no_path_makes_a_page_load_what_is_elsewhere(site, target):
    answer = await site.get("/", headers=BROWSER, extensions={"target": target.encode()})
    page = HtmlPage(answer.text)
    sources = [value for _, name, value in page.attributes if name == "src"]
    assert sources
    assert all(each.startswith("/static/") for each in sources)
    assert ("body", "data-base", "") in page.attributes


@pytest.mark.parametrize("host", ["a//evil.example", "a/b", "[", "a?b", 'a"b', "user@a", "a b"])
async def test_a_host_that_is_none_is_not_repeated(site, host):
    answer = await site.get("/_gallery", headers={"host": host})
    assert answer.status_code == 200
    assert ("body", "data-base", "") in HtmlPage(answer.text).attributes
    assert (await site.get("/nothing", headers=BROWSER | {"host": host})).status_code == 404


async def test_pages_are_compressed_for_those_who_take_it(site):
    packed = await site.get("/_gallery")
    plain = await site.get("/_gallery", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("*;q=0", False),
        ("identity", False),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("*;q=0, gzip", True),
    ],
)
async def test_gzip_is_for_those_who_take_it_at_a_weight(site, accepted, is_packed):
    answer = await site.get("/_gallery", headers={"accept-encoding": accepted})
    assert ("content-encoding" in answer.headers) is is_packed


@pytest.mark.parametrize("headers", [BROWSER, HTMX, {}])
async def test_no_answer_is_taken_for_another_kind(site, headers):
    for path in ("/_gallery", "/nothing"):
        assert (await site.get(path, headers=headers)).headers.get_list("x-content-type-options") == ["nosniff"]


async def test_a_refusal_is_in_the_language_of_the_page_that_asked(site):
    page = await site.get("/nothing?language=de", headers=BROWSER)
    assert "Diese Seite gibt es nicht." in page.text
    site.cookies.clear()
    toast = await site.get("/nothing", headers=HTMX | {"accept-language": "de"})
    assert "Diese Seite gibt es nicht." in toast.text
    asked = await site.get("/nothing", headers={"x-usufruct-language": "de"})
    plain = await site.get("/nothing", headers={"accept-language": "de"})
    assert asked.json()["error"]["message"] == "Diese Seite gibt es nicht."
    assert plain.json()["error"]["message"].startswith("there is nothing at /nothing")
    for each in (asked, plain):
        assert each.json()["error"]["code"] == "unknown_route"
        assert (each.status_code, each.headers["x-should-retry"]) == (404, "false")
    unknown = await site.get("/nothing", headers={"x-usufruct-language": "xx"})
    assert unknown.json()["error"]["message"] == plain.json()["error"]["message"]


async def test_a_fragment_goes_to_htmx_and_the_whole_page_to_others(site):
    part = await site.post("/_gallery/order", data={"amount": "five <b>"}, headers=HTMX)
    assert part.text.lstrip().startswith("<form")
    page = HtmlPage(part.text)
    assert page.texts["span"] == ["a whole number, such as 5"]
    assert ("input", "value", "five <b>") in page.attributes
    assert "aria-invalid" not in (await site.post("/_gallery/order", data={"amount": "5"}, headers=HTMX)).text
    assert "<!doctype html>" in (await site.post("/_gallery/order", data={"amount": "5"})).text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "OWN"}, 403),
        ({"origin": "OWN"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
    ],
)
async def test_another_sites_page_changes_nothing(site, headers, status):
    own = str(site.base_url).rstrip("/")
    sent = {name: own if value == "OWN" else value for name, value in headers.items()}
    answer = await site.post("/_gallery/order", data={"amount": "5"}, headers=sent)
    assert answer.status_code == status
    if status == HTTPStatus.FORBIDDEN:
        assert answer.json()["error"]["code"] == "cross_site_request"


async def test_errors_are_pages_for_people_toasts_for_htmx_and_json_for_programs(site):
    for path, status in (("/nothing", 404), ("/static/x/nothing.css", 404)):
        page = await site.get(path, headers=BROWSER)
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert page.headers["x-request-id"] in HtmlPage(page.text).texts["code"]
        assert (await site.get(path)).json()["error"]["param"] == "path"
    failed = await site.post("/_gallery/fail", headers=HTMX)
    assert (failed.status_code, failed.headers["hx-retarget"], failed.headers["hx-reswap"]) == (
        400,
        "#toasts",
        "beforeend",
    )
    assert HtmlPage(failed.text).texts["span"] == ["this button always fails; nothing was changed"]
    assert (await site.post("/_gallery/fail")).json()["error"]["code"] == "gallery_failure"
    wrong = await site.post("/_gallery", headers=BROWSER)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("body", [b"amount=%ff", b"\xff", b"&".join(b"a%d=1" % n for n in range(300))])
async def test_a_form_that_is_not_one_is_refused(site, body):
    answer = await site.post("/_gallery/order", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    ("accepted", "cookie", "asked", "shown"),
    [
        ("", "", "", "en"),
        ("de", "", "", "de"),
        ("de-CH, en;q=0.9", "", "", "de"),
        ("en;q=0.3, de;q=0.4", "", "", "de"),
        ("de;q=0, en", "", "", "en"),
        ("fr, *;q=0.1", "", "", "en"),
        ("de;q=x,;;,en", "", "", "en"),
        ("en", "de", "", "de"),
        ("de", "xx", "", "de"),
        ("en", "de", "en", "en"),
        ("en", "", "de", "de"),
    ],
)
async def test_the_reader_chooses_the_language(site, accepted, cookie, asked, shown):
    headers = {"accept-language": accepted} | ({"cookie": f"language={cookie}"} if cookie else {})
    answer = await site.get("/_gallery", params={"language": asked} if asked else {}, headers=headers)
    assert answer.headers["content-language"] == shown
    assert f'<html lang="{shown}">' in answer.text
    assert ("set-cookie" in answer.headers) == bool(asked)
    if asked:
        assert "HttpOnly" in answer.headers["set-cookie"]


async def test_a_site_below_a_path_links_below_it():
    async with opened(at_public_url(application(), "https://example.org/ai")) as client:
        page = HtmlPage((await client.get("/_gallery")).text)
    assert {"/ai/", "/ai/_gallery", "/ai/openapi.json"} <= set(page.links)
    scripts = [value for tag, name, value in page.attributes if (tag, name) == ("script", "src")]
    assert all(script.startswith("/ai/static/") for script in scripts)


async def test_the_operators_name_logo_and_language_are_on_the_page(tmp_path):
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    config = load_config(
        {
            "USUFRUCT_SITE_NAME": "Müller & <Söhne>",
            "USUFRUCT_SITE_ACCENT": "#FFD700",
            "USUFRUCT_SITE_LOGO": str(logo),
            "USUFRUCT_SITE_LANGUAGE": "de",
        },
        None,
    )
    async with opened(application(configured_site(config.site, config.chain.id))) as client:
        page = HtmlPage((await client.get("/_gallery")).text)
        source = next(value for tag, name, value in page.attributes if (tag, name) == ("img", "src"))
        served_logo = await client.get(source)
        theme = next(value for _, name, value in page.attributes if value and value.endswith("theme.css"))
        colours = re.findall("--accent: (#[0-9a-f]{6})", (await client.get(theme)).text)
    assert "Müller & <Söhne>" in page.texts["a"]
    assert page.texts["h1"] == ["Galerie"]
    assert (served_logo.content, served_logo.headers["content-type"]) == (logo.read_bytes(), "image/svg+xml")
    assert served_logo.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert colours[1] == "#ffd700"
    assert colours[0] != "#ffd700"


@pytest.mark.parametrize(
    ("setting", "chain_id", "explorer"),
    [
        ("https://explorer.example.org/", 8453, "https://explorer.example.org"),
        ("", 8453, "https://basescan.org"),
        ("", 31337, ""),
        ("", 999, ""),
    ],
)
async def test_addresses_and_transactions_link_to_the_explorer_of_the_chain(setting, chain_id, explorer):
    config = load_config({"USUFRUCT_SITE_EXPLORER": setting})
    async with opened(application(configured_site(config.site, chain_id))) as client:
        page = HtmlPage((await client.get("/_gallery")).text)
    outward = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href") and "://" in value]
    address, transaction = "0x52908400098527886E0F7030069857D2E4169EE7", "0x" + "5c" * 32
    assert outward == ([f"{explorer}/address/{address}", f"{explorer}/tx/{transaction}"] if explorer else [])


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("EXPLORER", "javascript:alert(1)", "empty or an address such as https://explorer.example.org"),
        ("NAME", " ", "1 to 40 characters"),
        ("NAME", "x" * 41, "1 to 40 characters"),
        ("ACCENT", "green", "a colour such as #0b7a5a"),
        ("ACCENT", "#0b7a5g", "a colour such as #0b7a5a"),
        ("LOGO", "logo.gif", "empty or the path of a file"),
        ("LOGO", "/nowhere/logo.svg", "empty or the path of a file"),
        ("LANGUAGE", "fr", "'en' or 'de'"),
    ],
)
def test_a_look_that_cannot_work_is_refused(key, value, rule):
    with pytest.raises(InvalidSetting, match=rule) as refused:
        load_config({f"USUFRUCT_SITE_{key}": value})
    assert refused.value.details["key"] == f"site.{key.lower()}"


def test_a_site_is_a_value():
    assert replace(Site(), name="A").stylesheet == Site().stylesheet
