"""The stages between the topics: transform, deliver, project. Each is one Faust app, group and process."""

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from runtime.environment import Environment

StageName = Literal["transform", "deliver", "project"]
STAGES: tuple[StageName, ...] = get_args(StageName)


def run_stage(stage: StageName, environment: "Environment") -> int:
    """Run one stage in this process, in the main thread, until SIGTERM or SIGINT. Returns the exit code.

    0: stopped cleanly. 1: could not start (the reason is logged). The process may also end with 70 from
    within, when going on could lose events: its supervisor starts it again.
    """
    # Imported here, so that code that only wants topic names does not load Faust and its event loop policy.
    from streams.stages import run

    return run(stage, environment)
