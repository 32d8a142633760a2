"""``python -m streams transform|deliver|project``: run one stage, configured by the variables ``SBX_…``."""

import os
import sys

from runtime.environment import Environment, InvalidEnvironment
from streams import STAGES, run_stage

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in STAGES:
        sys.exit(f"usage: python -m streams {'|'.join(STAGES)}")
    try:
        environment = Environment.read(os.environ)
    except InvalidEnvironment as error:
        sys.exit(str(error))
    sys.exit(run_stage(sys.argv[1], environment))
