"""A DAO whose stakers have locked, made once; each test changes a copy of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dao import Dao
from tests.support.devnet_template import DevnetTemplate


@pytest.fixture(scope="session")
def dao_template(devnet_template: DevnetTemplate, tmp_path_factory: pytest.TempPathFactory) -> DevnetTemplate:
    folder = tmp_path_factory.mktemp("dao")
    with devnet_template.copy(folder) as anvil:
        Dao(folder, anvil.url)
    return DevnetTemplate(folder, made=True)


@pytest.fixture
def dao(dao_template: DevnetTemplate, tmp_path: Path) -> Iterator[Dao]:
    with dao_template.copy(tmp_path) as anvil:
        yield Dao(tmp_path, anvil.url, made=True)
