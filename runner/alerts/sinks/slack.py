"""Messages to a channel of Slack (ALERT-19)."""

from __future__ import annotations

from pathlib import Path

from runner.alerts.refusal import Refusal
from runner.home.settings import Slack

# What no further attempt changes; anything else, a token or channel that somebody has still to mend too, is tried on.
_FINAL = frozenset(("msg_too_long", "no_text", "invalid_blocks"))


def post(slack: Slack, text: str, thread: str, within_s: float) -> tuple[str, Refusal | None]:
    """Post a message, in a thread if one is named; return its own name (``ts``), or why it was not taken."""
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackClientError

    try:
        token = Path(slack.token.removeprefix("file:")).read_text().strip()
        client = WebClient(token, base_url=slack.url, timeout=max(int(within_s), 1))
        client.retry_handlers.clear()  # we try again in a minute, and nobody waits for us
        answer = client.chat_postMessage(
            channel=slack.channel, text=text, thread_ts=thread or None, unfurl_links=False, unfurl_media=False
        )
    except (SlackClientError, OSError) as error:
        return "", _judge(error)
    return str(answer["ts"]), None


def _judge(error: Exception) -> Refusal:
    answer = getattr(error, "response", None)
    if answer is None:
        return Refusal(f"slack: {error}")
    reason = str(answer.get("error") or answer.status_code)
    wait_s = answer.headers.get("Retry-After", answer.headers.get("retry-after", "0"))
    return Refusal(f"slack: {reason}", reason in _FINAL, float(wait_s) if str(wait_s).isdecimal() else 0.0)
