"""The longest stretch that ends at each place of a sequence and also occurs at an earlier place.

Definition, in naive Python::

    def stands_earlier(s, i, j):                    # does s[i:j] also begin before i?
        return any(s[k : k + j - i] == s[i:j] for k in range(i))
    length[e] = max(n for n in range(e + 2) if n == 0 or stands_earlier(s, e + 1 - n, e + 1))
    source[e] = the last place of the first such stretch (-1 for none)

The suffix automaton [1] of the sequence grows symbol by symbol. When the place e has been added, the suffix link of
its state is the class of the longest suffix that occurred before; the class knows where it first ended. Edges are in
one open-addressing table, and in one list per state, which is read when a state is split.

Cost: linear in the sequence, whatever repeats in it; 70 to 100 bytes per symbol, of 4 bytes each. Numbers of states and
edges are int32: a sequence has less than `LONGEST_SEQUENCE` symbols.

References: [1] Blumer et al., "The smallest automaton recognizing the subwords of a text", 1985.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel, shared
from dedup.kernels.words import mix

NONE = -1
LONGEST_SEQUENCE = 1 << 29
"""Symbols, one more than a sequence may have: four edges a symbol, counted in int32, at the worst."""


@shared
def find_edge(
    state: np.int64,
    symbol: np.signedinteger,
    slots: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int32],
    symbols: npt.NDArray[np.signedinteger],
) -> int:
    """Return the slot that holds the edge of `state` with `symbol`, or the empty one where it belongs."""
    value = mix(np.uint64(state) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(symbol)) >> np.uint64(32)
    slot = np.int64((value * np.uint64(len(slots))) >> np.uint64(32))
    while slots[slot] != NONE and (owners[slots[slot]] != state or symbols[slots[slot]] != symbol):
        slot = slot + 1 if slot + 1 < len(slots) else 0
    return slot


@kernel
def longest_earlier(
    sequence: npt.NDArray[np.signedinteger],
    grown: int,
    length: Written[npt.NDArray[np.signedinteger]],
    source: Written[npt.NDArray[np.signedinteger]],
) -> None:
    """Write, for each end place, the `length` of the longest earlier stretch and the end of its first place, `source`.

    The first `grown` symbols are looked up and added; those after them are looked up among the first only.
    """
    states = 2 * grown + 2
    size = np.empty(states, dtype=np.int32)  # the longest stretch of each state
    link = np.empty(states, dtype=np.int32)
    first_end = np.empty(states, dtype=np.int32)
    edge_of = np.empty(states, dtype=np.int32)
    # a state is written when it is made: pages of unused states take no memory
    size[0], link[0], first_end[0], edge_of[0] = 0, NONE, NONE, NONE
    edges = 3 * grown + 8  # 3 * grown - 4 at most, for grown > 2
    owners = np.empty(edges, dtype=np.int32)
    symbols = np.empty(edges, dtype=sequence.dtype)
    targets = np.empty(edges, dtype=np.int32)
    next_edge = np.empty(edges, dtype=np.int32)
    slots = np.empty(4 * grown + 16, dtype=np.int32)
    for i in range(len(slots)):
        slots[i] = NONE
    state_count, edge_count, last = 1, 0, np.int64(0)
    state, matched = np.int64(0), np.int64(0)
    for place in range(len(sequence)):
        symbol = sequence[place]
        if place >= grown:
            slot = find_edge(state, symbol, slots, owners, symbols)
            while slots[slot] == NONE and state != 0:
                state = np.int64(link[state])
                matched = np.int64(size[state])
                slot = find_edge(state, symbol, slots, owners, symbols)
            if slots[slot] != NONE:
                state = np.int64(targets[slots[slot]])
                matched += 1
            length[place] = matched
            source[place] = first_end[state] if matched > 0 else NONE
            continue
        current = state_count
        state_count += 1
        size[current] = size[last] + 1
        link[current], edge_of[current] = NONE, NONE
        first_end[current] = place
        walk = np.int64(last)
        old = np.int64(NONE)
        split = False
        while walk != NONE:
            slot = find_edge(walk, symbol, slots, owners, symbols)
            edge = np.int64(slots[slot])
            if not split and edge != NONE:
                old = np.int64(targets[edge])
                if size[old] == size[walk] + 1:
                    link[current] = old
                    break
                # `old` has longer stretches that did not occur here: split the shorter ones off
                split = True
                clone = state_count
                state_count += 1
                size[clone] = size[walk] + 1
                link[clone], edge_of[clone] = link[old], NONE
                first_end[clone] = first_end[old]
                copied = np.int64(edge_of[old])
                while copied != NONE:
                    new_slot = find_edge(clone, symbols[copied], slots, owners, symbols)
                    slots[new_slot] = edge_count
                    owners[edge_count] = clone
                    symbols[edge_count] = symbols[copied]
                    targets[edge_count] = targets[copied]
                    next_edge[edge_count] = edge_of[clone]
                    edge_of[clone] = edge_count
                    edge_count += 1
                    copied = np.int64(next_edge[copied])
                link[old] = clone
                link[current] = clone
            if split:
                if edge == NONE or targets[edge] != old:
                    break
                targets[edge] = clone
            else:
                slots[slot] = edge_count
                owners[edge_count] = walk
                symbols[edge_count] = symbol
                targets[edge_count] = current
                next_edge[edge_count] = edge_of[walk]
                edge_of[walk] = edge_count
                edge_count += 1
            walk = np.int64(link[walk])
        if link[current] == NONE:
            link[current] = 0
        last = np.int64(current)
        length[place] = size[link[current]]
        source[place] = first_end[link[current]] if length[place] > 0 else NONE
