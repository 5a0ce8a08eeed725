"""One row of a banded alignment in the registers of the machine, and which of 64 seeds lie before another.

`band_row` is a row of the dynamic program of `dedup.kernels.alignment.grow`, in naive Python, over columns of (score,
equal tokens)::

    for lane in range(BAND_LANES):
        diagonal = (state[lane].score + EQUAL, state[lane].equal + 1) if near[at + lane] == token else \\
            (state[lane].score + EDIT_COST, state[lane].equal)
        up = (state[lane + 1].score + EDIT_COST, state[lane + 1].equal)
        left = (new[lane - 1].score + EDIT_COST, new[lane - 1].equal)
        new[lane] = the one with the best score; of equal scores, the first
        if not low <= lane <= high: new[lane] = LOWEST

A column is one int64: the score above, the equal tokens below, and between them, while a row is made, which of equal
scores comes first. So one comparison decides all, and the steps to the left are a running maximum: five steps for all
columns. LLVM turns the vectors into the registers of the machine, as in `dedup.kernels.words`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dedup.kernels import compiler, intrinsic, native

BAND_LANES = 24
"""Columns of a row, those beyond the band among them: three registers of eight."""

SCORE_AT, CHOICE_AT = 38, 32
"""Bits of a column: the score from here on; which of equal scores is first. The equal tokens are the lowest bits."""

ONE_SCORE = 1 << SCORE_AT
LOWEST = -(1 << 62)
"""A column that is not reached."""

EQUAL_TOKENS = np.int64((1 << CHOICE_AT) - 1)
EQUAL, EDIT_COST = 2, -3
"""What an equal token adds to a score, and what an edit does."""

if not native.COMPLETE:  # needed to write the intrinsics; with a complete library nothing is compiled here
    compiler()
    from llvmlite import ir
    from numba import types

    U8, U32, U64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
    EIGHT = ir.VectorType(U64, 8)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def _every(value: int, kind: Any) -> Any:
    return ir.Constant(kind, [value] * kind.count)


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(U32, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(U32, kind.count), [0] * kind.count))


@intrinsic
def band_row(
    typingctx: Any, state: Any, near: Any, at: Any, token: Any, low: Any, high: Any, alive: Any, better: Any
) -> Any:
    """Make the next row of `state` (int64, `BAND_LANES`; written), from the lane `low` to `high`; no bounds check.

    Lane i stands for the token ``near[at + i]`` (uint64) of the source, and `token` is the one that it is compared
    with. Returns two uint64 masks, bit i for lane i: which columns are `alive` or more, and which are `better` or more.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        read = builder.bitcast(_pointer(context, builder, kinds[1], args[1], args[2]), EIGHT.as_pointer())
        held = builder.bitcast(_pointer(context, builder, kinds[0], args[0], ir.Constant(U64, 0)), EIGHT.as_pointer())
        places = [(ir.Constant(U32, number)) for number in range(3)]
        before = [builder.load(builder.gep(held, [place]), align=8) for place in places]
        sources = [builder.load(builder.gep(read, [place]), align=8) for place in places]
        lowest = _every(LOWEST, EIGHT)
        wanted, first, last = (_spread(builder, args[number], EIGHT) for number in (3, 4, 5))
        lanes = [ir.Constant(EIGHT, list(range(8 * number, 8 * number + 8))) for number in range(3)]

        def larger(a: Any, b: Any) -> Any:
            return builder.select(builder.icmp_signed(">", a, b), a, b)

        def joined(left: Any, right: Any, start: int) -> Any:
            order = ir.Constant(ir.VectorType(U32, 8), list(range(start, start + 8)))
            return builder.shuffle_vector(left, right, order)

        plus, minus = _every(EQUAL * ONE_SCORE + (63 << CHOICE_AT) + 1, EIGHT), EDIT_COST * ONE_SCORE
        edited, beside = _every(minus + (63 << CHOICE_AT), EIGHT), _every(minus + (62 << CHOICE_AT), EIGHT)
        row = []
        for number in range(3):
            same = builder.icmp_unsigned("==", sources[number], wanted)
            diagonal = builder.add(before[number], builder.select(same, plus, edited))
            above = joined(before[number], before[number + 1] if number < 2 else lowest, 1)
            value = larger(diagonal, builder.add(above, beside))
            row.append(builder.select(builder.icmp_signed(">=", lanes[number], first), value, lowest))
        for step in (1, 2, 4, 8, 16):
            cost = _every(step * (minus - (2 << CHOICE_AT)), EIGHT)
            earlier = [lowest, lowest, lowest, *row]
            blocks, rest = divmod(step, 8)
            moved = []
            for number in range(3):
                after = earlier[number + 3 - blocks]
                if rest:
                    after = joined(earlier[number + 2 - blocks], after, 8 - rest)
                moved.append(larger(row[number], builder.add(after, cost)))
            row = moved
        masks = []
        clear = _every(~(63 << CHOICE_AT), EIGHT)
        limits = [_spread(builder, args[number], EIGHT) for number in (6, 7)]
        for number in range(3):
            inside = builder.icmp_signed("<=", lanes[number], last)
            row[number] = builder.select(inside, builder.and_(row[number], clear), lowest)
            builder.store(row[number], builder.gep(held, [places[number]]), align=8)
        for limit in limits:
            mask = ir.Constant(U64, 0)
            for number in range(3):
                bits = builder.zext(builder.bitcast(builder.icmp_signed(">=", row[number], limit), U8), U64)
                mask = builder.or_(mask, builder.shl(bits, ir.Constant(U64, 8 * number)))
            masks.append(mask)
        return context.make_tuple(builder, signature.return_type, masks)

    taken = (state, near, types.intp, types.uint64, types.int64, types.int64, types.int64, types.int64)
    return types.UniTuple(types.uint64, 2)(*taken), codegen


@intrinsic
def before64(typingctx: Any, source: Any, reach: Any, at: Any, value: Any) -> Any:
    """Return which of 64 places from `at` on have ``source[p] < value <= reach[p]``: a uint64 mask, bit i for at + i.

    The arrays are of one type of signed integer; no bounds check.
    """
    many = ir.VectorType(ir.IntType(source.dtype.bitwidth), 64)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def loaded(number: int) -> Any:
            pointer = _pointer(context, builder, signature.args[number], args[number], args[2])
            return builder.load(builder.bitcast(pointer, many.as_pointer()), align=source.dtype.bitwidth // 8)

        wanted = _spread(builder, args[3], many)
        lower = builder.icmp_signed("<", loaded(0), wanted)
        return builder.bitcast(builder.and_(lower, builder.icmp_signed("<=", wanted, loaded(1))), U64)

    return types.uint64(source, reach, types.intp, source.dtype), codegen
