"""The laboratory itself: a plain crontab line fires, and what it says on stderr is mailed."""

from cronlab import CronLab

TABLE = b"""\
MAILTO="al@example.org,ql-team@example.org"
* * * * * echo seen; echo bad pixel >&2
MAILTO="ops@example.org"
* * * * * env >&2
"""


def test_a_line_fires_and_its_output_is_mailed_to_the_list_above_it(cron_lab: CronLab) -> None:
    assert cron_lab.crontab("-", input=TABLE).returncode == 0
    assert cron_lab.crontab("-l").stdout == TABLE
    mails = {mail["To"]: mail for mail in cron_lab.wait_for_mails(2)}
    assert set(mails) == {"al@example.org,ql-team@example.org", "ops@example.org"}
    assert mails["al@example.org,ql-team@example.org"].get_payload() == "seen\nbad pixel\n"
    # CRON-81: nothing of the daemon's own environment reaches a job.
    assert "RUNNER_CANARY" not in str(mails["ops@example.org"].get_payload())


def test_the_hosts_own_tables_are_not_seen(cron_lab: CronLab) -> None:
    result = cron_lab.crontab("-l")
    assert (result.returncode, result.stderr) == (1, b"no crontab for root\n")
    assert cron_lab.run(["ls", "-A", "/etc/cron.d"]).stdout == b""
