"""Machine words: the few operations that numba does not offer, and the one 64-bit mixer.

``mix(x)``, in naive Python (the finaliser of splitmix64 [1]; a bijection on 64 bits)::

    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31

``classify`` looks at 64 bytes at once. LLVM turns its vectors into whatever the machine has (one AVX-512
register, two AVX2, four SSE or NEON), so the same code is fast everywhere and the result is the same.

References: [1] Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from dedup.kernels import part

U8 = ir.IntType(8)
U64 = ir.IntType(64)
LANES = 64
VECTOR = ir.VectorType(U8, LANES)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def _splat(value: int) -> Any:
    return ir.Constant(VECTOR, [value] * LANES)


@intrinsic
def load8(typingctx: Any, array: Any, index: Any) -> Any:
    """Return the 8 bytes of the uint8 `array` from `index` on as a little-endian uint64 (no bounds check)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.bitcast(_pointer(context, builder, signature.args[0], *args), U64.as_pointer())
        word = builder.load(pointer, align=1)
        return word if _little_endian() else builder.bswap(word)

    return types.uint64(array, types.intp), codegen


@intrinsic
def classify(typingctx: Any, source: Any, at: Any, target: Any, to: Any) -> Any:
    """Lower-case 64 bytes of `source` from `at` into `target` from `to` (ASCII letters only; no bounds check).

    Returns two uint64 masks, bit i for byte i: the bytes of words (ASCII letters, digits, underscore), and the
    bytes that are not ASCII.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pair = signature.return_type
        read = _pointer(context, builder, signature.args[0], args[0], args[1])
        write = _pointer(context, builder, signature.args[2], args[2], args[3])
        block = builder.load(builder.bitcast(read, VECTOR.as_pointer()), align=1)

        def between(value: Any, first: str, count: int) -> Any:
            return builder.icmp_unsigned("<", builder.sub(value, _splat(ord(first))), _splat(count))

        upper = between(block, "A", 26)
        lower = builder.or_(block, builder.select(upper, _splat(0x20), _splat(0)))
        builder.store(lower, builder.bitcast(write, VECTOR.as_pointer()), align=1)
        word = builder.or_(between(lower, "a", 26), between(block, "0", 10))
        word = builder.or_(word, builder.icmp_unsigned("==", block, _splat(ord("_"))))
        other = builder.icmp_signed("<", block, _splat(0))
        masks = [builder.bitcast(mask, U64) for mask in (word, other)]
        return context.make_tuple(builder, pair, masks)

    return types.UniTuple(types.uint64, 2)(source, types.intp, target, types.intp), codegen


@intrinsic
def trailing_zeros(typingctx: Any, value: Any) -> Any:
    """Return the number of zero bits below the lowest one of the uint64 `value`; 64 for zero."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], cgutils.false_bit)

    return types.int64(types.uint64), codegen


def _little_endian() -> bool:
    return np.dtype(np.uint16).newbyteorder("=") == np.dtype("<u2")


@part
def mix(x: np.uint64) -> np.uint64:
    """Mix 64 bits: every bit of the result depends on every bit of `x`; a bijection."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
