"""ALERT-7, ALERT-10 to ALERT-12, ALERT-19: the outbox empties, whatever the other side answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from letters import AT, make_entry
from mailroom import (
    SENDER,
    MailServer,
    Sendmail,
    SlackServer,
    find_port,
    make_authority,
    make_sendmail,
    make_smtp,
    measure,
    serve_silence,
    serve_slack,
    serve_smtp,
)

from runner.alerts.deliver import Delivery, Postman, choose_wait
from runner.alerts.waiting import find_undelivered, list_waiting, read_waiting
from runner.document.keys import Keys
from runner.home.settings import Mail, Settings, Slack, read_settings
from runner.launch.outbox import Entry, read_entry, write_entry
from runner.launch.state import make_state


class Office:
    """A state directory, what is set for it, and a sweep at any time."""

    def __init__(self, directory: Path) -> None:
        self.state = str(directory / "state")
        make_state(self.state)
        self.settings: Settings = read_settings(directory)

    def use(self, mail: Mail) -> None:
        self.settings = replace(self.settings, mail=mail)

    def write(self, *entries: Entry) -> None:
        for entry in entries:
            write_entry(self.state, entry)

    def deliver(self, after_s: float = 60.0) -> Delivery:
        return Postman(self.state, self.settings, SENDER, AT + after_s).deliver()

    @property
    def waiting(self) -> list[Entry]:
        return read_waiting(self.state)[0]

    @property
    def dead(self) -> list[str]:
        return sorted(path.name for path in Path(self.state, "outbox", "dead").glob("*"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def server(office: Office) -> Iterator[MailServer]:
    with serve_smtp() as server:
        office.use(make_smtp(server.port))
        yield server


@pytest.fixture
def sendmail(office: Office, tmp_path: Path) -> Sendmail:
    program = make_sendmail(tmp_path)
    office.use(_by(program))
    return program


@pytest.fixture
def slack(office: Office, tmp_path: Path, sendmail: Sendmail) -> Iterator[SlackServer]:
    (tmp_path / "token").write_text("xoxb-1\n")
    with serve_slack() as slack:
        channel = Slack(
            **{**Keys(Slack).defaults, "channel": "ops", "token": f"file:{tmp_path}/token", "url": slack.url}
        )
        office.settings = replace(office.settings, slack=channel)
        yield slack


def _by(program: Sendmail) -> Mail:
    return Mail(**{**Keys(Mail).defaults, "sendmail": str(program.path)})


def test_a_mail_is_handed_to_sendmail_without_a_shell_and_leaves_the_outbox(office: Office, sendmail: Sendmail) -> None:
    """ALERT-10, SEC-11."""
    office.write(make_entry(to=["root", "a+b@example.org"]))

    assert office.deliver().sent == 1

    assert sendmail.calls == ["-oi -t"]
    assert sendmail.mails[0].message["To"] == "a+b@example.org, root"
    assert office.waiting == []


def test_a_mail_goes_to_a_server_over_tls_after_a_login(office: Office, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    (tmp_path / "password").write_text("hunter2\n")
    with serve_smtp(authority.context) as server:
        login = {"user": "ql", "password": f"file:{tmp_path}/password", "ca": str(authority.certificates)}
        office.use(make_smtp(server.port, tls="starttls", **login))
        office.write(make_entry())
        delivery = office.deliver()

    assert delivery.troubles == []
    assert (server.was_private, server.logins) == (True, [("ql", "hunter2")])
    assert server.mails[0].subject == "FAILED job-1 [dsoc-prod] exit 3"
    assert server.mails[0].recipients == ["team@example.org"]


def test_a_server_whose_certificate_nobody_vouches_for_gets_neither_password_nor_mail(
    office: Office, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    with serve_smtp(make_authority(tmp_path).context) as server:
        office.use(make_smtp(server.port, tls="starttls", user="ql", password=f"file:{tmp_path}/password"))
        office.write(make_entry())
        delivery = office.deliver()

    assert "certificate verify failed" in delivery.describe()
    assert (server.logins, server.mails, len(office.waiting)) == ([], [], 1)


def test_a_login_that_is_refused_loses_nothing(office: Office, tmp_path: Path) -> None:
    """It is a 5xx, but of the site and not of the mail."""
    authority = make_authority(tmp_path)
    (tmp_path / "password").write_text("wrong\n")
    with serve_smtp(authority.context) as server:
        server.answers["AUTH"] = "no"
        login = {"user": "ql", "password": f"file:{tmp_path}/password", "ca": str(authority.certificates)}
        office.use(make_smtp(server.port, tls="starttls", **login))
        office.write(make_entry())
        office.deliver()

    assert (server.mails, len(office.waiting), office.dead) == ([], 1, [])


@pytest.mark.parametrize("where", ["DATA", "team@example.org"])
def test_a_4xx_is_tried_again_after_1_2_4_and_at_last_every_60_minutes(
    office: Office, server: MailServer, where: str
) -> None:
    """ALERT-11."""
    server.answers[where] = "451 greylisted"
    office.write(make_entry())
    tried = [minute for minute in range(1, 300) if office.deliver(minute * 60.0).troubles]

    assert tried == [1, 2, 4, 8, 16, 32, 64, 124, 184, 244]
    assert [choose_wait(tries) / 60 for tries in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    server.answers.clear()
    assert office.deliver(304 * 60.0).sent == 1
    assert office.waiting == []


@pytest.mark.parametrize("where", ["DATA", "team@example.org"])
def test_a_5xx_is_named_once_and_kept_aside(office: Office, server: MailServer, where: str) -> None:
    server.answers[where] = "550 no such user"
    office.write(make_entry())

    assert office.deliver().dead == [f"team@example.org never gets {make_entry().name}: 550 no such user"]

    assert (office.waiting, office.dead) == ([], [make_entry().name])
    assert office.deliver(120).dead == []


def test_those_who_were_refused_of_a_mail_that_others_took_are_tried_alone(office: Office, server: MailServer) -> None:
    server.answers["b@example.org"] = "451 later"
    office.write(make_entry(to=["a@example.org", "b@example.org", "c@example.org"]))
    office.deliver()
    server.answers.clear()

    office.deliver(600)

    assert [mail.recipients for mail in server.mails] == [["a@example.org", "c@example.org"], ["b@example.org"]]
    assert len({mail.message["Message-ID"] for mail in server.mails}) == 1


def test_after_five_days_an_alert_is_given_up(office: Office, server: MailServer) -> None:
    server.answers["DATA"] = "451 later"
    office.write(make_entry())

    assert office.deliver(5 * 86400.0).dead == []
    assert office.deliver(5 * 86400.0 + 3600.0).dead == [f"team@example.org never gets {make_entry().name}: 451 later"]
    assert office.dead == [make_entry().name]


def test_nobody_waits_for_a_server_that_is_not_there_or_says_nothing(office: Office) -> None:
    office.write(make_entry())
    office.use(make_smtp(find_port()))
    assert "refused" in office.deliver().describe()

    with serve_silence() as port:
        office.use(make_smtp(port))
        took_s = measure(lambda: office.deliver(180))

    assert took_s < 15
    assert office.waiting[0].tries == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("exit 75", "ended with 75"),
        ("sleep 600 & sleep 600", "had not taken it after 1 s"),
        ("kill -9 $$", "ended with -9"),
    ],
)
def test_a_sendmail_that_fails_or_hangs_costs_its_time_and_no_mail(
    office: Office, tmp_path: Path, body: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.alerts.deliver.ONE_MAIL_S", 1.0)
    office.use(_by(make_sendmail(tmp_path, body)))
    office.write(make_entry())

    assert measure(lambda: office.deliver()) < 10

    assert (office.waiting[0].tries, office.dead) == (1, [])
    assert reason in office.deliver(120).describe()


def test_a_sendmail_that_is_not_there_is_tried_again(office: Office, tmp_path: Path) -> None:
    program = make_sendmail(tmp_path)
    program.path.rename(tmp_path / "elsewhere")
    office.use(_by(program))
    office.write(make_entry())
    assert office.deliver().describe() == f"not delivered: {program.path}: No such file or directory"

    (tmp_path / "elsewhere").rename(program.path)
    assert office.deliver(120).sent == 1


def test_a_sendmail_that_knows_no_such_user_is_believed(office: Office, tmp_path: Path) -> None:
    office.use(_by(make_sendmail(tmp_path, "echo nobody here; exit 67")))
    office.write(make_entry())

    assert office.deliver().dead == [
        f"team@example.org never gets {make_entry().name}: {tmp_path}/sendmail ended with 67: nobody here"
    ]


def test_a_storm_is_one_mail_and_what_follows_in_ten_minutes_one_more(office: Office, server: MailServer) -> None:
    """ALERT-16."""
    office.write(*[make_entry(number) for number in range(200)])
    office.deliver(0)
    for minute in range(1, 9):
        office.write(make_entry(300 + minute))
        office.deliver(minute * 60.0)
    assert [mail.subject for mail in server.mails] == ["DIGEST 200 jobs: could not connect to server (200)"]

    office.deliver(600)

    assert [mail.subject for mail in server.mails[1:]] == ["DIGEST 8 jobs: could not connect to server (8)"]
    assert office.waiting == []


def test_a_storm_that_could_not_be_delivered_is_not_held_back(office: Office, server: MailServer) -> None:
    office.write(*[make_entry(number) for number in range(5)])
    server.answers["DATA"] = "451 later"
    office.deliver()
    server.answers.clear()

    assert office.deliver(120).sent == 1


def test_a_file_that_is_no_alert_is_named_once_and_set_aside(office: Office, sendmail: Sendmail) -> None:
    office.write(make_entry(2))
    path = Path(office.state, "outbox", make_entry(1).name)
    path.write_bytes(b"subject x\n")

    delivery = office.deliver()

    assert delivery.dead == [f"outbox/{path.name} is no alert: it is torn"]
    assert (delivery.sent, office.dead) == (1, [path.name])


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.mkdir])
def test_what_was_planted_in_the_outbox_is_not_read(
    office: Office, sendmail: Sendmail, tmp_path: Path, plant: Callable[..., None]
) -> None:
    """SEC-6."""
    office.write(make_entry(2))
    Path(office.state, "outbox", make_entry(2).name).rename(tmp_path / "precious")
    path = Path(office.state, "outbox", make_entry(1).name)
    plant(*([path, tmp_path / "precious"] if plant is Path.symlink_to else [path]))

    assert office.deliver().sent == 0

    assert (tmp_path / "precious").exists()
    assert list_waiting(office.state) == []


def test_slack_gets_one_message_an_incident_and_the_rest_in_its_thread(office: Office, slack: SlackServer) -> None:
    """ALERT-19."""
    first = make_entry()
    office.write(first)
    office.deliver()
    office.write(make_entry(2, incident=first.run_id, kind="reminder", subject="STILL FAILED job-1"))
    office.deliver(120)
    office.write(make_entry(3))
    office.deliver(180)

    assert [(post["channel"], post.get("thread_ts")) for post in slack.posts] == [
        ("ops", None), ("ops", "1700000000.000001"), ("ops", None),
    ]  # fmt: skip
    assert slack.posts[0]["authorization"] == "Bearer xoxb-1"
    assert slack.posts[0]["text"].startswith("*FAILED job-1 [dsoc-prod] exit 3*\n```")
    assert office.waiting == []


def test_slack_that_is_too_busy_is_asked_again_when_it_says(
    office: Office, slack: SlackServer, sendmail: Sendmail
) -> None:
    busy = 429, {"Retry-After": "240"}, {"ok": False, "error": "ratelimited"}
    slack.answers.append(busy)
    office.write(make_entry(1), make_entry(2))

    office.deliver(0)
    office.deliver(180)

    assert (len(sendmail.mails), slack.posts) == (2, [])
    office.deliver(241)
    assert len(slack.posts) == 2
    assert len(sendmail.mails) == 2
    assert office.waiting == []


def test_a_slack_that_is_down_never_delays_mail(office: Office, slack: SlackServer, sendmail: Sendmail) -> None:
    slack.answers += [(500, {}, {"ok": False, "error": "internal_error"})] * 2
    office.write(make_entry())

    office.deliver(0)

    assert len(sendmail.mails) == 1
    assert (office.waiting[0].to, office.waiting[0].slack_tries) == ([], 1)
    office.deliver(61)
    office.deliver(300)
    assert (len(slack.posts), len(sendmail.mails)) == (1, 1)


def test_a_storm_is_one_message_at_slack_too(office: Office, slack: SlackServer) -> None:
    office.write(*[make_entry(number) for number in range(40)])

    office.deliver()

    assert [post["text"].partition("\n")[0] for post in slack.posts] == [
        "*DIGEST 40 jobs: could not connect to server (40)*"
    ]


def test_an_alert_that_cannot_be_written_down_again_stays_as_it_was(office: Office, server: MailServer) -> None:
    server.answers["b@example.org"] = "451 later"
    office.write(make_entry(to=["a@example.org", "b@example.org"]))
    path = list_waiting(office.state)[0]
    office.deliver()

    read = read_entry(str(path))
    assert read is not None
    assert (read.to, read.tries) == (["b@example.org"], 1)


def test_status_knows_how_much_waits_and_since_when(office: Office, server: MailServer) -> None:
    office.write(make_entry(1), make_entry(2, at=AT - 60.0), make_entry(3, at=AT + 900.0))
    server.answers["DATA"] = "451 later"
    assert find_undelivered(office.state, AT + 900.0).count == 1  # the sweep is late for the second

    office.deliver(900)

    assert find_undelivered(office.state, AT + 960.0) == type(find_undelivered(office.state, AT))(3, AT - 60.0, 0)
