"""Files for the operating system: a systemd unit that keeps an installation running, and a Caddyfile for TLS."""

import shlex
import sys
from pathlib import Path

from usufruct.config import Config

_UNIT = """[Unit]
Description=Usufruct gateway and worker
After=network-online.target
Wants=network-online.target

[Service]
Environment={environment}
ExecStart={command}
Restart=on-failure
TimeoutStopSec={stop_seconds}

[Install]
WantedBy=default.target
"""

_CADDYFILE = """{domain} {{
	reverse_proxy {host}:{port} {{
		flush_interval -1
	}}
}}
"""
"""`flush_interval -1`: events of a stream are passed on as they come."""

_STOP_SECONDS = 30
"""What the worker may take on top of the gateway's longest drain."""


def this_program() -> list[str]:
    """Return the command by which this program was called, as it works from any folder."""
    program = Path(sys.argv[0]).resolve()
    return [sys.executable, "-m", "usufruct.cli"] if program.suffix == ".py" else [str(program)]


def systemd_unit(config: Config, file: Path) -> str:
    """Return a unit that runs `usufruct up` with the configuration in `file`."""
    quoted = str(file).replace("\\", "\\\\").replace('"', '\\"')
    return _UNIT.format(
        environment=f'"USUFRUCT_CONFIG={quoted}"',
        command=shlex.join([*this_program(), "up"]),
        stop_seconds=config.gateway.longest_drain + _STOP_SECONDS,
    )


def caddyfile(config: Config, domain: str) -> str:
    """Return a Caddyfile that serves the gateway at `https://DOMAIN`; Caddy gets the certificate by itself."""
    return _CADDYFILE.format(domain=domain, host=config.gateway.host, port=config.gateway.port)
