"""HTTP: Starlette's routes and raw ASGI on the hot path; limits, errors as answers, health, log lines."""

from uvicorn.loops.auto import auto_loop_factory as event_loop_factory

from usufruct.web.client_network import client_network
from usufruct.web.cors import allow_browsers
from usufruct.web.errors import (
    BodyTooLarge,
    ClientGone,
    Header,
    ShuttingDown,
    Unauthenticated,
    error_body,
    error_headers,
)
from usufruct.web.health import Health
from usufruct.web.http_exchange import EVENT_STREAM, JSON, HttpExchange, at_public_url, json_object
from usufruct.web.log import log_as_json
from usufruct.web.metrics import Metrics, job_metrics
from usufruct.web.openapi import REFERENCE, Operation, Parameter
from usufruct.web.request import Request, document_response, json_response, read_document
from usufruct.web.router import AnyRoute, RawRoute, Route, Router, openapi_route
from usufruct.web.server import Server, base_url, listen
from usufruct.web.server_limits import ServerLimits
from usufruct.web.write_limit import WriteLimit

__all__ = [
    "EVENT_STREAM",
    "JSON",
    "REFERENCE",
    "AnyRoute",
    "BodyTooLarge",
    "ClientGone",
    "Header",
    "Health",
    "HttpExchange",
    "Metrics",
    "Operation",
    "Parameter",
    "RawRoute",
    "Request",
    "Route",
    "Router",
    "Server",
    "ServerLimits",
    "ShuttingDown",
    "Unauthenticated",
    "WriteLimit",
    "allow_browsers",
    "at_public_url",
    "base_url",
    "client_network",
    "document_response",
    "error_body",
    "error_headers",
    "event_loop_factory",
    "job_metrics",
    "json_object",
    "json_response",
    "listen",
    "log_as_json",
    "openapi_route",
    "read_document",
]
