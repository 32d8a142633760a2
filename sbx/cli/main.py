"""The ``sbx`` command's entry point: signals first, then everything that takes time to load."""

from sbx.cli import interrupt


def main() -> int:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 bad usage, 128 + n ended by signal n."""
    interrupt.arm()
    try:
        from sbx.cli.command_line import run

        return run()
    except KeyboardInterrupt:
        return interrupt.exit_code()
    except SystemExit as ended:
        # typer makes 1 of it, and says "Aborted."
        if interrupt.asked() and ended.code in (1, 130):
            return interrupt.exit_code()
        raise
