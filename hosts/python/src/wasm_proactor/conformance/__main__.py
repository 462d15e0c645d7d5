"""The driver: one command a line in, one reply a line out."""

import json
import sys

from .world import World


def main() -> None:
    """Works off what the runner says, until it says no more."""
    world = World()
    for line in sys.stdin:
        print(json.dumps(world.perform(json.loads(line))), flush=True)
    world.close()


main()
