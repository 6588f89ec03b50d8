"""The command line: one file per verb.

Data go to stdout (``--json`` for machines), everything else to stderr. A user's mistake gets one paragraph and an exit
code, never a traceback; a traceback is our bug.
"""

from __future__ import annotations

import sys

from contrechamp.domain.errors import ContrechampError


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from contrechamp.cli.app import app

    try:
        app()
    except ContrechampError as error:
        print(f"contrechamp: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print("contrechamp: interrompu (interrupted). Nothing finished was touched.", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader of stdout went away (`| head`): not an error, but Python would complain while flushing.
        sys.stderr.close()
        raise SystemExit(0) from None
