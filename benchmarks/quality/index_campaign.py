"""Long checks of `dedup.Index`: processes that are killed at any moment, readers beside a writer, flipped bytes.

What is expected is known outside of the index. The first thing that is wrong ends a campaign with its message.
"""

from __future__ import annotations

import argparse
import time

from tests.index import test_damage, test_kill, test_readers


def main() -> None:
    """Run a campaign, and print its counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.index_campaign", description=__doc__)
    parser.add_argument("campaign", choices=["kills", "readers", "flips", "random-flips"])
    parser.add_argument("--kills", type=int, default=300, help="processes that are killed (default: 300)")
    parser.add_argument("--seconds", type=float, default=600, help="how long the readers ask (default: 600)")
    parser.add_argument("--kinds", default=",".join(test_damage.KINDS), help="of the index whose bytes are flipped")
    parser.add_argument("--flips", type=int, default=5000, help="random bytes of a large index (default: 5000)")
    parser.add_argument("--documents", type=int, default=3000, help="of the large index (default: 3000)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and the questions (default: 1)")
    given = parser.parse_args()
    started = time.monotonic()
    if given.campaign == "kills":
        found = test_kill.campaign(given.kills, given.seed)
        print(
            f"{found.kills} kills, {found.idle} of them before the first commit of the process: {found.commits} "
            f"commits, none lost, no part of one; {found.surviving} that the process could not announce any more"
        )
    elif given.campaign == "flips":
        for kind in given.kinds.split(","):
            flips = test_damage.campaign(kind)
            print(
                f"{kind}: {flips.tried} bytes flipped, one at a time: {flips.refused} refused, {flips.less} with fewer "
                "pairs, all of them named by the check; no wrong pair",
                flush=True,
            )
    elif given.campaign == "random-flips":
        found_there = test_damage.random_flips(given.documents, given.flips, given.seed)
        print(
            f"{given.documents} documents: {found_there.tried} random bytes flipped, one at a time: "
            f"{found_there.refused} refused, {found_there.less} with fewer pairs, all of them named by the check; no "
            "wrong pair"
        )
    else:
        seen = test_readers.campaign(given.seconds, given.seed)
        print(
            f"{test_readers.READERS} readers beside a writer of {seen.commits} commits: {seen.questions} states asked, "
            f"{seen.refreshes} refreshes with news, {seen.openings} openings; every answer was that of one commit"
        )
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
