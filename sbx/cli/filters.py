"""The filters of ``sbx log``, ``sbx retry``, ``sbx skip`` and ``sbx replay``, from their options."""

from dataclasses import asdict

from log_projection.queries import Filters
from sbx.actions import filters as actions
from sbx.cli.filter_options import Options
from sbx.cli.times import moment
from streams.topics import COMMANDS, SOURCES


def filters(options: Options) -> Filters:
    """Return the filters for the options.

    Raises:
        ActionRefused, BadUsage: an option has an invalid value; names the valid ones.
    """
    since, until = moment("--since", options.since), moment("--until", options.until)
    actions.check_choice("topic", options.topic, (*SOURCES, COMMANDS))
    return actions.read(asdict(options) | {"id": options.entry}, since, until, options.partition)
