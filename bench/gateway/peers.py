"""The peers: installed at pinned versions into throw-away environments under build/, never linked."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from bench.gateway.processes import started
from bench.gateway.subjects import Subject, Unavailable
from bench.gateway.upstream import PACES
from bench.report import ROOT
from usufruct.chain.anvil import free_port

LITELLM = "1.108.7"
TENSORZERO = "2026.6.0"
START_SECONDS = 120

UNAVAILABLE = (
    Unavailable(
        f"litellm {LITELLM}+postgres", "its database client downloads a query engine that no package registry holds"
    ),
    Unavailable("bifrost 1.6.3", "its npm package downloads the binary from elsewhere when it starts"),
)

_TENSORZERO = """
import json, signal, sys, threading
import tensorzero
gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
)
print(json.dumps({"url": gateway.base_url}), flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
threading.Event().wait()
"""


def environment(name: str, requirement: str) -> Path:
    """Return the folder of a virtual environment with one package in it, made at first use.

    Raises:
        RuntimeError: when the package cannot be installed.
    """
    folder = ROOT / "build" / "bench-gateway" / name
    if not (folder / ".installed").exists():
        print(f"installing {requirement}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(folder / "bin" / "pip"), "install", "--quiet", "--only-binary", ":all:", requirement]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{requirement} cannot be installed: {done.stderr.strip()[-200:]}")
        (folder / ".installed").touch()
    return folder


@contextmanager
def litellm(folder: Path, upstream: str, cpu: int | None) -> Iterator[Subject]:
    """Run LiteLLM's proxy with one worker, a master key (it does not start without one) and no database."""
    binaries = environment("litellm", f"litellm[proxy]=={LITELLM}") / "bin"
    models = [
        {"model_name": model, "litellm_params": {"model": f"openai/{model}", "api_base": upstream, "api_key": "none"}}
        for model in PACES
    ]
    config = folder / "litellm.json"  # YAML holds JSON
    key = "sk-" + secrets.token_hex(16)
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": key}}))
    port = free_port()
    offline = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # noqa: TID251 - passed on
    command = [str(binaries / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--num_workers", "1"]
    with started(command, folder / "litellm.log", offline, cpu, ready=False) as (process, _):
        url = f"http://127.0.0.1:{port}/v1"
        _await_answer(url, process)
        yield Subject(f"litellm {LITELLM}", url, (process,), lambda _: [{"authorization": f"Bearer {key}"}])


@contextmanager
def tensorzero(folder: Path, upstream: str, cpu: int | None) -> Iterator[Subject]:
    """Run the HTTP gateway that is in TensorZero's Python wheel, its observability off."""
    python = environment("tensorzero", f"tensorzero=={TENSORZERO}") / "bin" / "python"
    config = folder / "tensorzero.toml"
    parts = ["[gateway]", "observability.enabled = false"]
    for model in PACES:
        parts += [
            f"[models.{model}]",
            'routing = ["mock"]',
            f"[models.{model}.providers.mock]",
            'type = "openai"',
            f'model_name = "{model}"',
            f'api_base = "{upstream}/"',
            'api_key_location = "none"',
        ]
    config.write_text("\n".join(parts) + "\n")
    command = [str(python), "-c", _TENSORZERO, str(config)]
    with started(command, folder / "tensorzero.log", cpu=cpu) as (process, ready):
        url = str(ready["url"]).rstrip("/")
        models = {model: f"tensorzero::model_name::{model}" for model in PACES}
        yield Subject(f"tensorzero {TENSORZERO}", url, (process,), models=models)


def _await_answer(url: str, process: psutil.Process) -> None:
    until = time.perf_counter() + START_SECONDS
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.perf_counter() < until:
        try:
            httpx.get(f"{url}/models", timeout=2)
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{url} did not answer within {START_SECONDS} s, or its program ended")
