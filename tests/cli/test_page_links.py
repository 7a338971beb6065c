"""Commands that keep an installation running end with its pages' addresses, and a QR code for a phone."""

import pytest

from usufruct.cli.support import page_links
from usufruct.cli.support.page_links import phone_url, show_page_links
from usufruct.cli.support.progress import Progress, qr_lines

HOME = "192.168.1.7"


@pytest.mark.parametrize(
    ("site", "address", "expected"),
    [
        ("http://127.0.0.1:8402", HOME, ""),
        ("http://localhost:8402", HOME, ""),
        ("http://[::1]:8402", HOME, ""),
        ("http://0.0.0.0:8402", HOME, f"http://{HOME}:8402"),
        ("http://[::]:8402", HOME, f"http://{HOME}:8402"),
        ("http://0.0.0.0:8402", "", ""),
        (f"http://{HOME}:8402", "", f"http://{HOME}:8402"),
        ("https://ai.example.org/shop", HOME, "https://ai.example.org/shop"),
    ],
)
def test_a_phone_is_sent_only_where_it_can_get(site, address, expected):
    assert phone_url(site, address) == expected


def test_this_machines_address_is_one_in_its_network_or_none():
    assert page_links.network_address().count(".") in (0, 3)


@pytest.mark.parametrize(("url", "draws"), [("http://192.168.1.7:8402/v1", True), ("http://127.0.0.1:8402/v1", False)])
def test_a_code_is_drawn_at_a_terminal_and_otherwise_the_way_is_said(url, draws, capsys):
    progress = Progress(to_stderr=True)
    show_page_links(progress, url)
    said = capsys.readouterr().err
    assert f"{url.removesuffix('/v1')}/account" in said
    assert ("USUFRUCT_GATEWAY_HOST=0.0.0.0" in said) is not draws
    progress.live = True
    show_page_links(progress, url)
    code = qr_lines("http://192.168.1.7:8402/")
    assert (code[5] in capsys.readouterr().err) is draws


def test_the_public_address_is_shown_before_the_one_that_is_listened_at(capsys):
    show_page_links(Progress(to_stderr=True), "http://127.0.0.1:8402/v1", "https://ai.example.org")
    assert "https://ai.example.org/account" in capsys.readouterr().err
