"""What is never shown nor stored: the values of what is named like a secret (PROF-64, CRON-66)."""

from __future__ import annotations

# In any case of letters, anywhere in a name.
SECRET_WORDS = ("PASS", "SECRET", "TOKEN", "CREDENTIAL", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY")

MASK = "***"


def is_secret(name: str) -> bool:
    """Whether what is called `name` is to be taken for a secret."""
    upper = name.upper()
    return any(word in upper for word in SECRET_WORDS)
