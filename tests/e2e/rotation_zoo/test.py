"""The rotation zoo: programs that rotate their logs in every way known, agents that die: every line comes once.

  tests/e2e/rotation_zoo/test.py [--seeds N] [--first N] [--seed N]

Twenty seeds share one agent. A seed that fails is printed with all that happened to its files; --seed N plays
it again alone, with the same moves at the same steps.
"""

import argparse
import os
import sys

from keeper import Keeper
from sluice_e2e import run

GROUP = 20
FAULTS_SHOWN = 10


def show(cage, faults):
    print(f"seed {cage.seed}: {len(faults)} faults; again: {os.path.relpath(__file__)} --seed {cage.seed}")
    print(*faults[:FAULTS_SHOWN], sep="\n")
    print(*cage.trace, sep="\n")
    for path, body in sorted(cage.bodies.items()):
        print(f"{os.stat(path).st_ino} {os.path.getsize(path):8} {cage.name(path)}: {len(body.slots)} lines")


def group(first, only=None):
    def seeds(sc):
        output = "file" if first // GROUP % 2 else "receiver"
        keeper = Keeper(sc, range(first, first + GROUP), only, output)
        keeper.play()
        faults = keeper.judge()
        for cage in keeper.cages:
            if cage.seed in faults:
                show(cage, faults[cage.seed])
        lines = sum(len(cage.slots) for cage in keeper.cages)
        print(f"seeds {first} to {first + GROUP - 1}: {lines} lines, output {output}")
        assert not faults, f"lines were lost or doubled: seeds {sorted(faults)}"

    seeds.__name__ = f"seeds_{first}"
    return seeds


def main(count):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=count, help="how many, in groups of twenty")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="this one alone")
    args = parser.parse_args()
    del sys.argv[1:]  # run() takes names of scenarios
    if args.seed is not None:
        run(group(args.seed // GROUP * GROUP, args.seed))
    run(*(group(first) for first in range(args.first, args.first + args.seeds, GROUP)))


if __name__ == "__main__":
    main(GROUP)
