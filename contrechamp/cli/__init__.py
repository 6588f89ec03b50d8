"""The command line: one file per verb.

Data go to stdout (``--json`` for machines), everything else to stderr. A user's mistake gets one paragraph and an exit
code, never a traceback; a traceback is our bug.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Final

from contrechamp.domain.errors import CapabilityError, ContrechampError

#: Exit code of a command stopped by Ctrl-C, as shells number it.
_INTERRUPTED: Final = 130
#: What a machine may refuse, whatever the program does: no room, no right, nowhere to write.
_REFUSALS: Final = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.ENAMETOOLONG,
        errno.EMFILE,
        errno.EIO,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
    }
)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    for flow in (sys.stdout, sys.stderr):
        if flow is not None and hasattr(flow, "reconfigure"):  # é and → never stop a command, whatever the terminal
            flow.reconfigure(errors="backslashreplace")
    from contrechamp.cli.app import app

    try:
        try:
            app()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except ContrechampError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, SystemExit) as ended:
        if isinstance(ended, SystemExit) and ended.code != _INTERRUPTED:
            raise
        _fail(  # typer makes this, in silence, of a Ctrl-C
            "interrompu (interrupted). Nothing finished was touched; a run being built stays in its .partial.",
            _INTERRUPTED,
        )
    except BrokenPipeError:
        # The reader of stdout went away (`| head`): not an error, but Python would complain while flushing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        if sys.stdout is not None and error.filename is None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in its buffer has nowhere to go
        where = f" ({error.filename})" if error.filename else ""
        _fail(
            f"this machine refuses: {error.strerror}{where}. Nothing finished was touched. Make room, or choose a "
            "place you can read and write, and run the command again.",
            CapabilityError.exit_code,
        )


def _fail(message: str, code: int) -> None:
    if sys.stderr is not None:
        print(f"contrechamp: {message}", file=sys.stderr)
    raise SystemExit(code) from None
