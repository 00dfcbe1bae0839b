"""The certificates of the servers that we send to are valid, and will be for two weeks: mail, Slack, pings."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from runner.diagnose.check import ERROR, NOTE, WARNING, Check, Finding
from runner.diagnose.context import Context
from runner.launch.instant import format_slot

ID = "DIAG029"
LEVEL = ERROR
TITLE = "certificates of mail, Slack and pings are valid for two weeks"
TIMEOUT_S = 20.0

_SOON_S = 14 * 86400
_CONNECT_S = 6.0
_EACH_S = 8.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that shows a certificate.

    Attributes
    ----------
    ca
        A file of authorities of the site's own, empty for the system's.
    greets
        Whether it speaks SMTP before it speaks TLS.
    """

    host: str
    port: int
    what: str
    ca: str = ""
    greets: bool = False


def find(context: Context) -> Iterator[Finding]:
    """Yield what is expired, will be soon, or is not to be trusted; servers are asked beside each other."""
    from runner.diagnose.run import run_checks

    checks = [
        Check(ID, LEVEL, f"{server.host}:{server.port} shows its certificate", partial(_look_at, server), _EACH_S)
        for server in list_servers(context)
    ]
    yield from run_checks(checks, context)


def list_servers(context: Context) -> list[Server]:
    """Return the servers of the settings and of the jobs, each once."""
    from runner.alerts.sinks.smtp import PORTS

    settings = context.get_settings()
    found = []
    if settings.mail.via == "smtp" and settings.mail.smtp.tls != "none":
        smtp = settings.mail.smtp
        port = smtp.port or PORTS[smtp.tls]
        found.append(Server(smtp.host, port, "mail", smtp.ca, greets=smtp.tls == "starttls"))
    urls = [("pings", settings.ping)] + ([("Slack", settings.slack.url)] if settings.slack else [])
    urls += [("pings", one.plan.ping) for one in context.list_planned()] if context.loaded else []
    for what, url in urls:
        address = urlsplit(url)
        if address.scheme == "https" and address.hostname:
            found.append(Server(address.hostname, address.port or 443, what))
    return list(dict.fromkeys(found))


def _look_at(server: Server, context: Context) -> Iterator[Finding]:
    where = f"{server.host}:{server.port} ({server.what})"
    try:
        ends_at = _read_end(server)
    except ssl.SSLCertVerificationError as error:
        message = f"the certificate of {where} is refused: {error.verify_message}"
        yield Finding(ID, ERROR, message, "its owner must renew it; of an own authority see ca: of mail")
        return
    except (OSError, ValueError) as error:
        yield Finding(ID, NOTE, f"{where} shows no certificate", "is it down?", str(error))
        return
    if ends_at - context.now < _SOON_S:
        message = f"the certificate of {where} ends at {format_slot(int(ends_at))}"
        yield Finding(ID, WARNING, message, "its owner must renew it")


def _read_end(server: Server) -> float:
    """Return until when the certificate of a server is valid, POSIX seconds; SSLError if it is not to be trusted."""
    context = ssl.create_default_context(cafile=server.ca or None)
    if server.greets:
        import smtplib

        try:
            with smtplib.SMTP(server.host, server.port, timeout=_CONNECT_S) as client:
                client.starttls(context=context)
                return _end_of(client.sock)
        except smtplib.SMTPException as error:
            raise ValueError(str(error)) from None
    with (
        socket.create_connection((server.host, server.port), _CONNECT_S) as plain,
        context.wrap_socket(plain, server_hostname=server.host) as private,
    ):
        return _end_of(private)


def _end_of(private: object) -> float:
    assert isinstance(private, ssl.SSLSocket)
    certificate = private.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))
