"""Mail to an SMTP server (ALERT-10): TLS unless it is switched off, a login where one is given."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

from runner.alerts.refusal import Refusal, Refusals, refuse_all
from runner.home.settings import Smtp

CONNECT_S = 10.0
_QUIT_S = 1.0
PORTS = {"starttls": 587, "none": 587, "implicit": 465}


def send(smtp: Smtp, message: EmailMessage, recipients: Sequence[str], within_s: float) -> Refusals:
    """Hand the mail to the server; return who was refused."""
    try:
        with _session(smtp, within_s) as server:
            # Not `send_message`, which would put a > before a line that begins with "From ".
            data = message.as_bytes(policy=policy.SMTP)
            refused = server.sendmail(parseaddr(message["From"])[1], list(recipients), data)
            return {name: _judge(*answer) for name, answer in refused.items()}
    except smtplib.SMTPRecipientsRefused as error:
        return {name: _judge(*answer) for name, answer in error.recipients.items()}
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        return dict.fromkeys(recipients, _judge(error.smtp_code, error.smtp_error))
    except (smtplib.SMTPException, OSError, ValueError) as error:
        # Of a login or a certificate that is refused too: who runs the site can mend that, and nothing is lost.
        return refuse_all(recipients, f"{smtp.host}: {error}")


def probe(smtp: Smtp, within_s: float) -> str:
    """Connect and log in as for a mail, and send none; return why that fails, empty if it does not."""
    try:
        with _session(smtp, within_s) as server:
            server.ehlo_or_helo_if_needed()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return str(error)
    return ""


@contextmanager
def _session(smtp: Smtp, within_s: float) -> Iterator[smtplib.SMTP]:
    """Have a connection that is private and logged in; what is done with it may take what is left of the time."""
    until = time.monotonic() + within_s
    server = _connect(smtp, min(CONNECT_S, within_s))
    try:
        _enter(server, smtp, until)
        _limit(server, until)
        yield server
    finally:
        _leave(server)


def _connect(smtp: Smtp, within_s: float) -> smtplib.SMTP:
    port = smtp.port or PORTS[smtp.tls]
    if smtp.tls == "implicit":
        return smtplib.SMTP_SSL(smtp.host, port, timeout=within_s, context=_make_context(smtp))
    return smtplib.SMTP(smtp.host, port, timeout=within_s)


def _enter(server: smtplib.SMTP, smtp: Smtp, until: float) -> None:
    """Make the connection private and log in."""
    if smtp.tls == "starttls":
        _limit(server, until)
        server.starttls(context=_make_context(smtp))
    if smtp.user:
        _limit(server, until)
        password = Path(smtp.password.removeprefix("file:")).read_text().rstrip("\r\n")
        server.login(smtp.user, password)


def _leave(server: smtplib.SMTP) -> None:
    """Take leave; a server that does not answer that has the mail all the same."""
    with suppress(smtplib.SMTPException, OSError):
        if server.sock:
            server.sock.settimeout(_QUIT_S)
            server.quit()
    server.close()


def _limit(server: smtplib.SMTP, until: float) -> None:
    """Let the next step wait no longer than what is left."""
    if server.sock:
        server.sock.settimeout(max(until - time.monotonic(), 0.1))


def _make_context(smtp: Smtp) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=smtp.ca or None)


def _judge(code: int, answer: bytes | str) -> Refusal:
    """Return what an answer of the server means: 5xx is for ever (RFC 5321, section 4.2.1)."""
    text = answer if isinstance(answer, str) else answer.decode("utf-8", "backslashreplace")
    return Refusal(f"{code} {' '.join(text.split())}", is_final=500 <= code < 600)
