"""The third layer: what left the ERP arrived at the systems that receive it, once, and with the right content.

    observer = observer_of(integration)
    arrivals = observer.seen("RG-1a2b3c", since)                     # what the far end holds
    state = state_of(integration, expected, arrivals, seen, now)     # what the contract says of it

`expected` is computed from the inventory and the inputs. An observer that cannot be read raises ObserverError: that is
our side, and no evidence against the ERP.
"""

from ringgate.integrations.contract import state_of
from ringgate.integrations.following import FollowedDocument, Following
from ringgate.integrations.observers import Observer, known_kinds, observer_of
from ringgate.integrations.rows import ObserverError
from ringgate.integrations.watching import watch

__all__ = [
    "FollowedDocument",
    "Following",
    "Observer",
    "ObserverError",
    "known_kinds",
    "observer_of",
    "state_of",
    "watch",
]
