"""How much a test tries: little at each change, all of it with EXAMPLES=thorough."""

import os

from hypothesis import settings

THOROUGH = os.environ.get("EXAMPLES") == "thorough"


def tries(few, many):
    """Try ``few`` examples, or ``many`` where there is time."""
    return settings(max_examples=many if THOROUGH else few)


# Each example is a question to a lake, which takes 50 ms.
asked_of_a_lake = tries(20, 300)
