"""Sends e-mail by the operator's SMTP server: one connection for several messages, on a thread."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr

from usufruct.config import MailConfig
from usufruct.core import Unavailable

_SECONDS = 15.0
_BATCH_SECONDS = 90.0
_PERMANENT = 500


class MailUnavailable(Unavailable, code="mail_unavailable"):
    """The mail server does not answer, does not let us in, or takes nothing from us."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message fared: `error` is empty for one that the server took; `permanent`: it never will."""

    error: str = ""
    permanent: bool = False
    untried: bool = False


class Mailer:
    """The operator's mail server."""

    def __init__(self, config: MailConfig, tls: ssl.SSLContext | None = None) -> None:
        """Trust the authorities that `tls` does, or the system's."""
        self._config = config
        self._tls = tls
        self.sender = parseaddr(config.sender)[1]
        self.domain = self.sender.rpartition("@")[2]

    async def send(self, messages: Sequence[EmailMessage]) -> list[Outcome]:
        """Send messages, each to its `To`; return how each fared.

        Raises:
            MailUnavailable: when the server cannot be used at all; nothing was sent.
        """
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(self._send_all, messages, loop.time, loop.time() + _BATCH_SECONDS)

    async def check(self) -> None:
        """Connect, encrypt and log in; raises MailUnavailable."""
        await self.send([])

    def _send_all(self, messages: Sequence[EmailMessage], clock: Callable[[], float], until: float) -> list[Outcome]:
        outcomes: list[Outcome] = []
        with self._connection() as server:
            for message in messages:
                if clock() > until or not server.sock:
                    outcomes.append(Outcome("the mail server was too slow", untried=True))
                else:
                    outcomes.append(self._send(server, message))
        return outcomes

    def _send(self, server: smtplib.SMTP, message: EmailMessage) -> Outcome:
        try:
            server.sendmail(self.sender, [message["to"]], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, says),) = refused.recipients.values()
            return Outcome(_text(code, says), permanent=code >= _PERMANENT)
        except smtplib.SMTPSenderRefused as refused:  # for the operator to mend
            return Outcome(_text(refused.smtp_code, refused.smtp_error))
        except smtplib.SMTPResponseException as refused:
            return Outcome(_text(refused.smtp_code, refused.smtp_error), permanent=refused.smtp_code >= _PERMANENT)
        except (OSError, smtplib.SMTPException) as error:
            return Outcome(_reason(error))
        return Outcome()

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        try:
            server = self._connect()
        except smtplib.SMTPResponseException as refused:
            raise self._unavailable(_text(refused.smtp_code, refused.smtp_error)) from refused
        except (OSError, smtplib.SMTPException) as error:
            raise self._unavailable(_reason(error)) from error
        try:
            yield server
        finally:
            try:
                server.quit()
            except (OSError, smtplib.SMTPException):
                server.close()

    def _connect(self) -> smtplib.SMTP:
        config = self._config
        tls = self._tls or ssl.create_default_context()
        server: smtplib.SMTP
        if config.security == "tls":
            server = smtplib.SMTP_SSL(config.host, config.port, self.domain, timeout=_SECONDS, context=tls)
        else:
            server = smtplib.SMTP(config.host, config.port, self.domain, timeout=_SECONDS)
        try:
            if config.security == "starttls":
                server.starttls(context=tls)  # raises where the server does not offer it
            if config.user:
                server.login(config.user, config.password.reveal())
        except BaseException:
            server.close()
            raise
        return server

    def _unavailable(self, reason: str) -> MailUnavailable:
        where = f"{self._config.host}:{self._config.port}"
        return MailUnavailable(f"the mail server {where} cannot be used: {reason}; check the section [mail]")


def _text(code: int, says: bytes | str) -> str:
    """Return what a server answered, on one line of printable characters."""
    plain = says.decode("utf-8", "replace") if isinstance(says, bytes) else says
    return f"{code} " + "".join(each if each.isprintable() else " " for each in plain)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
