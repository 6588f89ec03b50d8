"""What an object store or a database answers, told in one line and without a secret in it.

Credentials come from the environment (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``,
``AWS_ENDPOINT_URL``, ``AWS_REGION``; ``AWS_ALLOW_HTTP=true`` for a store without TLS), never from a command line nor an
address: both end in histories, logs and reports.

What it cannot tell you: that a store has forgotten what was removed from it. A bucket that keeps versions, or a copy of
it elsewhere, keeps what it had.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

#: Environment variables whose values must not be shown.
SECRETS: Final = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "CONTRECHAMP_PSEUDONYM_KEY",
)  # fmt: skip

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_BODY: Final = re.compile(r"<\?xml.*?<Code>([A-Za-z]+)</Code>.*", re.DOTALL)
_USER: Final = re.compile(r"(?<=://)[^/\s@]*@")
_QUERY: Final = re.compile(
    r"((?:password|secret|token|signature|credential)[a-z_-]*\s*[=:]\s*)[^&\s;,'\"]+", re.IGNORECASE
)

#: What the store's own word means to whoever gave the credentials.
_MEANING: Final[Mapping[str, str]] = {
    "SignatureDoesNotMatch": "the secret key is not that of this access key",
    "InvalidAccessKeyId": "the store does not know this access key",
    "AccessDenied": "these credentials may not do this",
    "ExpiredToken": "the session has expired",
    "NoSuchBucket": "there is no such bucket",
}


def shown(address: str | Path) -> str:
    """Show an address without user, password or query.

    Examples
    --------
    >>> shown("postgresql://eva:s3cret@localhost:5432/city?password=x")
    'postgresql://localhost:5432/city'
    """
    text = str(address)
    return _USER.sub("", text).partition("?")[0] if "://" in text else text


def said(cause: BaseException, *, secrets: tuple[str, ...] = ()) -> str:
    r"""Say in one line, of 300 characters at most, what a store answered.

    Parameters
    ----------
    cause : exception
    secrets : tuple of str
        To be left out, beside the values of the variables :data:`SECRETS`.

    Examples
    --------
    >>> said(OSError("Generic S3 error\n  403 Forbidden <?xml?><Error><Code>AccessDenied</Code>…</Error>"))
    'Generic S3 error 403 Forbidden AccessDenied (these credentials may not do this)'
    """
    text = _COLOUR.sub("", str(cause))
    text = _BODY.sub(lambda m: m[1] + (f" ({_MEANING[m[1]]})" if m[1] in _MEANING else ""), text)
    text = _QUERY.sub(r"\1…", _USER.sub("", text))
    for secret in (*secrets, *(os.environ.get(name, "") for name in SECRETS)):
        if len(secret) >= 3:
            text = text.replace(secret, "…")
    return " ".join(text.replace("↳", " ").split())[:300]
