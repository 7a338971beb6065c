"""HTTP: Starlette's routes and raw ASGI on the hot path; limits, errors as answers, health, log lines."""

from usufruct.web.cors import allow_browsers
from usufruct.web.documents import MakeError, read_document
from usufruct.web.errors import (
    BodyTooLarge,
    ClientGone,
    Header,
    MalformedBody,
    MethodNotAllowed,
    ShuttingDown,
    SlowBody,
    Unauthenticated,
    UnknownRoute,
    error_body,
    error_json,
    hidden_fault,
)
from usufruct.web.exchange import EVENT_STREAM, JSON, Exchange, json_object
from usufruct.web.health import Health
from usufruct.web.job_metrics import job_metrics
from usufruct.web.limits import ServerLimits
from usufruct.web.log import JsonLines, log_as_json, redacted
from usufruct.web.members import Members
from usufruct.web.metrics import Metrics
from usufruct.web.openapi import Operation, openapi_document
from usufruct.web.request import Request, document_response, json_response
from usufruct.web.router import AnyRoute, Lifespan, RawRoute, Route, Router, openapi_route
from usufruct.web.server import Server, base_url, event_loop_factory, listen

__all__ = [
    "EVENT_STREAM",
    "JSON",
    "AnyRoute",
    "BodyTooLarge",
    "ClientGone",
    "Exchange",
    "Header",
    "Health",
    "JsonLines",
    "Lifespan",
    "MakeError",
    "MalformedBody",
    "Members",
    "MethodNotAllowed",
    "Metrics",
    "Operation",
    "RawRoute",
    "Request",
    "Route",
    "Router",
    "Server",
    "ServerLimits",
    "ShuttingDown",
    "SlowBody",
    "Unauthenticated",
    "UnknownRoute",
    "allow_browsers",
    "base_url",
    "document_response",
    "error_body",
    "error_json",
    "event_loop_factory",
    "hidden_fault",
    "job_metrics",
    "json_object",
    "json_response",
    "listen",
    "log_as_json",
    "openapi_document",
    "openapi_route",
    "read_document",
    "redacted",
]
