"""sendmail, SMTP, undelivered alerts, certificates: DIAG008 to 010, 029."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from doctor import find, find_one, serve_tls
from homes import Home
from mailroom import Authority, find_port, make_authority, make_sendmail, serve_silence, serve_smtp

from runner.crontab import tables
from runner.launch.instant import format_instant
from runner.launch.outbox import Entry, write_entry
from runner.launch.state import make_state


@pytest.fixture
def sendmail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /usr/sbin/sendmail."""
    path = make_sendmail(tmp_path).path
    monkeypatch.setattr(tables, "SENDMAIL", path)
    return path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


def say_mail(home: Home, mail: str, more: str = "") -> None:
    home.write("envs/site.yaml", f"name: lab\nmail: {{ops: ops@example.org, {mail}}}\n{more}")


@pytest.mark.parametrize("mail", ["via: cron", "via: sendmail, sendmail: {path}", "via: smtp, smtp: {{host: x}}"])
def test_diag008_is_silent_where_the_program_is(home: Home, sendmail: Path, mail: str) -> None:
    say_mail(home, mail.format(path=sendmail))
    assert find(home, "DIAG008") == []


@pytest.mark.parametrize(
    ("mail", "levels"),
    [
        ("via: cron", ["error"]),
        ("via: sendmail, sendmail: {path}", ["error"]),
        ("via: sendmail, sendmail: /no/sendmail", ["error", "warning"]),
        ("via: smtp, smtp: {{host: x}}", ["warning"]),
    ],
)
def test_diag008_finds_what_is_missing_for_whom(home: Home, sendmail: Path, mail: str, levels: list[str]) -> None:
    """CRON-27: with via: cron nothing at all would reach anybody."""
    sendmail.chmod(0o644)
    say_mail(home, mail.format(path=sendmail))
    assert [one.level for one in find(home, "DIAG008")] == levels


def test_diag009_is_silent_when_the_server_lets_us_in(home: Home, authority: Authority) -> None:
    home.write("password", "secret123\n").chmod(0o600)
    with serve_smtp(authority.context) as server:
        smtp = f"host: 127.0.0.1, port: {server.port}, ca: {authority.certificates}, user: me"
        say_mail(home, f"via: smtp, smtp: {{{smtp}, password: 'file:{home.path}/password'}}")
        assert find(home, "DIAG009") == []
        assert server.mails == []


def test_diag009_finds_a_login_that_is_refused(home: Home, authority: Authority) -> None:
    home.write("password", "secret123\n").chmod(0o600)
    with serve_smtp(authority.context) as server:
        server.answers["AUTH"] = "no"
        smtp = f"host: 127.0.0.1, port: {server.port}, ca: {authority.certificates}, user: me"
        say_mail(home, f"via: smtp, smtp: {{{smtp}, password: 'file:{home.path}/password'}}")
        assert find_one(home, "DIAG009").level == "error"


def test_diag009_finds_a_server_that_is_gone(home: Home) -> None:
    say_mail(home, f"via: smtp, smtp: {{host: 127.0.0.1, port: {find_port()}, tls: none}}")
    assert "Connection refused" in find_one(home, "DIAG009").evidence


def test_diag009_finds_a_server_that_accepts_and_never_answers(home: Home) -> None:
    with serve_silence() as port:
        say_mail(home, f"via: smtp, smtp: {{host: 127.0.0.1, port: {port}, tls: none}}")
        assert "timed out" in find_one(home, "DIAG009").evidence


def put(home: Home, age_s: float) -> Path:
    """Put an alert into the outbox, of so long ago."""
    make_state(str(home.state))
    entry = Entry()
    entry.at = time.time() - age_s
    entry.run_id = f"{format_instant(entry.at).replace('-', '').replace(':', '')[:15]}.000000Z-lab-1"
    entry.kind, entry.plan, entry.job, entry.to = "first", "nightly", "nightly", ["ops@example.org"]
    write_entry(str(home.state), entry)
    return home.state / "outbox" / entry.name


def test_diag010_is_silent_while_alerts_are_young(home: Home) -> None:
    put(home, 30)
    assert find(home, "DIAG010") == []


def test_diag010_finds_what_waits_for_long(home: Home) -> None:
    """ALERT-11."""
    put(home, 7200)
    assert find_one(home, "DIAG010").message == "1 alert(s) cannot be delivered, the oldest for 2 h"


def test_diag010_finds_what_nobody_will_get(home: Home) -> None:
    path = put(home, 30)
    dead = path.parent / "dead"
    dead.mkdir(exist_ok=True)
    path.rename(dead / path.name)
    assert find_one(home, "DIAG010").message == "1 alert(s) that nobody will get"


def test_diag010_finds_what_is_no_alert(home: Home) -> None:
    put(home, 30).write_bytes(b"\xff\x00 torn")
    assert find_one(home, "DIAG010").message == "1 file(s) of the outbox cannot be read"


@pytest.fixture
def ping(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that the system trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def make_context(authority: trustme.CA, days: float) -> ssl.SSLContext:
    """Return what a server shows whose certificate is valid for so many days."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.now(UTC)
    start = now - timedelta(days=100)
    authority.issue_cert("127.0.0.1", not_before=start, not_after=now + timedelta(days=days)).configure_cert(context)
    return context


@pytest.mark.parametrize(("days", "level"), [(10, "warning"), (-1, "error")])
def test_diag029_finds_a_certificate_that_ends_soon_or_has(
    home: Home, ping: trustme.CA, days: float, level: str
) -> None:
    with serve_tls(make_context(ping, days)) as port:
        say_mail(home, "via: cron", f"ping: https://127.0.0.1:{port}/key\n")
        finding = find_one(home, "DIAG029")
    assert finding.level == level
    assert f"127.0.0.1:{port} (pings)" in finding.message


def test_diag029_is_silent_on_certificates_that_hold(home: Home, ping: trustme.CA) -> None:
    with serve_tls(make_context(ping, 100)) as port:
        address = f"https://127.0.0.1:{port}"
        say_mail(home, "via: cron", f"ping: {address}/key\n")
        home.job(f"ping: '{address}/job'")
        assert find(home, "DIAG029") == []


def test_diag029_finds_an_authority_that_nobody_trusts(home: Home, ping: trustme.CA) -> None:
    with serve_tls(make_context(trustme.CA(), 100)) as port:
        say_mail(home, "via: cron", f"ping: https://127.0.0.1:{port}/key\n")
        assert "is refused: " in find_one(home, "DIAG029").message


def test_diag029_looks_behind_starttls(home: Home, authority: Authority) -> None:
    with serve_smtp(authority.context) as server:
        smtp = f"host: 127.0.0.1, port: {server.port}, ca: {authority.certificates}"
        say_mail(home, f"via: smtp, smtp: {{{smtp}}}")
        assert find(home, "DIAG029") == []
        assert find_one(home, "DIAG029", now=time.time() + 980 * 365 * 86400).level == "warning"


def test_diag029_of_a_server_that_is_down_it_is_a_note(home: Home) -> None:
    say_mail(home, "via: cron", f"ping: https://127.0.0.1:{find_port()}/key\n")
    assert find_one(home, "DIAG029").level == "note"
