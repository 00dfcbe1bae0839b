"""ALERT-12 to ALERT-16, ALERT-19: what people read. SEC-10: nothing in an alert becomes a header or markup."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from letters import make_entry, make_letter

from runner.alerts.digest import Letter
from runner.alerts.message import MOST_BYTES, SLACK_CHARACTERS, make_body, make_message, make_slack_text, make_subject
from runner.launch.incident import RECOVERED, REMINDER
from runner.launch.outbox import Entry

_SENDER = "runner@ops1.example.org"


def _send(letter: Letter) -> EmailMessage:
    """Return the message as who gets it reads it."""
    message = message_from_bytes(make_message(letter, _SENDER).as_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def _storm(*lines: str, **fields: object) -> Letter:
    return make_letter(*[make_entry(number, first_line=line, **fields) for number, line in enumerate(lines)])


def test_an_alert_has_the_headers_that_people_and_programs_sort_by() -> None:
    message = _send(make_letter(make_entry(to=["a@example.org", "root"])))

    headers = {name: message[name] for name in message if name.lower() not in ("content-type", "mime-version")}
    assert headers == {
        "From": _SENDER,
        "To": "a@example.org, root",
        "Subject": "FAILED job-1 [dsoc-prod] exit 3",
        "Date": "Wed, 18 Nov 2026 11:06:40 +0000",
        "Message-ID": "<20261118T110640.000001Z-ops1-4242.first@ops1>",
        "Auto-Submitted": "auto-generated",
        "X-Runner-Job": "job-1",
        "X-Runner-Run": "20261118T110640.000001Z-ops1-4242",
        "X-Runner-Outcome": "failed",
        "X-Runner-Incident": "20261118T110640.000001Z-ops1-4242",
        "Content-Transfer-Encoding": "7bit",
    }
    assert message.get_content() == make_entry().body


@pytest.mark.parametrize("kind", [REMINDER, RECOVERED])
def test_later_mails_of_an_incident_refer_to_its_first(kind: str) -> None:
    message = _send(make_letter(make_entry(2, kind=kind, incident="20261118T100000.000000Z-ops1-7")))

    assert message["References"] == "<20261118T100000.000000Z-ops1-7.first@ops1>"
    assert message["Message-ID"] == f"<20261118T110640.000002Z-ops1-4242.{kind}@ops1>"


@pytest.mark.parametrize(
    "body",
    ["\u00e9t\u00e9\n", "x" * 5000, ".\n..\nFrom me\n", "tab\tand \\x1b[31m\n", "\n", "no newline", "\udcff raw\n"],
    ids=["utf-8", "long line", "dots", "escapes", "blank", "no newline", "surrogate"],
)  # fmt: skip
def test_every_line_of_a_body_arrives(body: str) -> None:
    """FAULT-33."""
    message = make_message(make_letter(make_entry(body=body)), _SENDER)
    data = message.as_bytes()

    assert max(map(len, data.split(b"\n"))) <= 998
    expected = body.encode("utf-8", "backslashreplace").decode()
    assert _send(make_letter(make_entry(body=body))).get_content().rstrip("\n") == expected.rstrip("\n")


@pytest.mark.parametrize("field", ["subject", "job", "run_id", "outcome", "incident", "kind"])
def test_no_field_of_an_alert_can_add_a_header(field: str) -> None:
    """SEC-10: an entry that somebody has tampered with."""
    entry = make_entry(**{field: "x\r\nBcc: all@example.org\r\n\r\nowned"})

    message = _send(make_letter(entry))

    assert message["Bcc"] is None
    assert "owned" not in message.get_content()


def test_a_body_is_cut_at_a_lines_end() -> None:
    body = make_body(make_letter(make_entry(body="a line of some length\n" * 10_000)))

    assert MOST_BYTES - 100 < len(body) <= MOST_BYTES
    assert set(body.splitlines()) == {"a line of some length", "... cut here ..."}


def test_a_digest_counts_the_commonest_first_line_with_its_digits_blanked() -> None:
    letter = _storm(*[f"could not connect to server 10.0.0.{number}" for number in range(38)], "odd", "")

    assert make_subject(letter) == "DIGEST 40 jobs: could not connect to server #.#.#.# (38)"
    body = make_body(letter)
    assert body.startswith("40 alerts of 40 jobs, 2026-11-18T11:06:40Z to 2026-11-18T11:06:40Z.\n")
    assert body.count("FAILED job-") == 40
    assert "runner logs 20261118T110640.000039Z-ops1-4242\n" in body


def test_a_digest_of_recoveries_and_that_of_a_reboot_say_so() -> None:
    recovered = make_letter(*[make_entry(number, kind=RECOVERED, outcome="ok") for number in range(4)])
    lost = [make_entry(number, boot="b", outcome="lost") for number in range(3)]
    late = [make_entry(number, boot="b", outcome="late") for number in range(3, 5)]

    assert make_subject(recovered) == "DIGEST 4 jobs recovered"
    assert make_subject(make_letter(*lost)) == "DIGEST 3 runs lost at reboot"
    assert make_subject(make_letter(*lost, *late)) == "DIGEST 3 runs lost, 2 slots missed at reboot"
    assert make_body(make_letter(*lost, *late)).count("runner logs") == 3
    assert "runs ----" not in make_body(make_letter(*late))


def test_a_digest_is_one_line_of_ascii_whatever_the_jobs_said() -> None:
    subject = make_subject(_storm(*["\u2603\nBcc: x" + "y" * 300] * 4))

    assert subject.isascii()
    assert subject.isprintable()
    assert len(subject) == 120


def test_slack_gets_its_special_characters_escaped() -> None:
    """ALERT-19: `<!channel>` in a job's output wakes nobody."""
    text = make_slack_text(make_letter(make_entry(body="<!channel> & ```fence```\n", subject="FAILED a [p] <b>")))

    assert text == "*FAILED a [p] &lt;b&gt;*\n```&lt;!channel&gt; &amp; '''fence'''```"


def test_slack_gets_at_most_so_many_characters_in_whole_lines() -> None:
    text = make_slack_text(make_letter(make_entry(body="<&>\n" * 5000)))

    assert SLACK_CHARACTERS - 20 < len(text) <= SLACK_CHARACTERS
    assert text.endswith("\n&lt;&amp;&gt;```")


def test_an_alert_is_read_back_as_it_was_written() -> None:
    from runner.launch.outbox import decode_entry, encode_entry

    entry = make_entry(to=["a", "b"], body="a\\n\n\r\x1b\udcff", due=1.5e9, tries=3, slack_done=True)
    read = decode_entry(encode_entry(entry))

    assert {key: getattr(read, key) for key in Entry.__slots__} == {key: getattr(entry, key) for key in Entry.__slots__}
