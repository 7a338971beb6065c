"""An SMTP server (aiosmtpd) that keeps e-mails: with TLS from the start or by STARTTLS, a log-in, and refusals."""

import socket
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from usufruct.config import MailConfig, Secret

USER, PASSWORD = "mailer", "correct horse"


@dataclass
class MailServer:
    """`replies`: what the next recipients get in place of 250. `mails`: what was taken, with who it was for."""

    config: MailConfig
    trust: ssl.SSLContext
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    replies: deque[str] = field(default_factory=deque)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if self.replies:
            return self.replies.popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.content, policy=SMTP)
        self.encrypted.append(session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None)
        self.mails += [(each, message) for each in envelope.rcpt_tos]
        return "250 kept"

    def text(self, number: int = -1) -> str:
        return self.mails[number][1].get_content()


def certificate(folder: Path) -> Path:
    """Write a certificate for `localhost`, which only those trust who are told to, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "mail.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def mail_server(folder: Path, security: str = "starttls") -> Iterator[MailServer]:
    """Take e-mails while the block runs, from `USER` only."""
    path = certificate(folder)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(path)
    secure = {"starttls": {"tls_context": own}, "tls": {"ssl_context": own}, "none": {}}[security]

    def log_in(server, session, envelope, mechanism, data) -> AuthResult:
        good = data.login == USER.encode() and data.password == PASSWORD.encode()
        return AuthResult(success=good, handled=False)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = MailConfig("localhost", port, security, USER, Secret(PASSWORD), "Usufruct tests <mail@example.org>")
    server = MailServer(config, ssl.create_default_context(cafile=path))
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=port,
        authenticator=log_in,
        auth_required=security == "starttls",
        auth_require_tls=security == "starttls",
        require_starttls=security == "starttls",
        **secure,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
