"""Machine words: the few operations that numba does not offer, the one 64-bit mixer, and the product that hashes.

``multiply_fold(a, b)``, in naive Python (the two halves of a 128-bit product, as in the hashes of [2])::

    product = a * b
    return product & MASK ^ product >> 64 ^ a ^ b

It has no cheap inverse, unlike a multiplication modulo 2^64. If one factor is zero, the result is the other factor, so
no information is lost.

``mix(x)``, in naive Python (the finaliser of splitmix64 [1]; a bijection on 64 bits)::

    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31

``classify`` looks at 64 bytes at once. LLVM turns its vectors into the registers of the machine (one AVX-512 register,
two AVX2, four SSE or NEON), so the same code is fast everywhere and gives the same result.

References: [1] Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. [2] Wang Yi, Diego
Barrios Romero, and others, "wyhash", 2019, https://github.com/wangyi-fudan/wyhash.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dedup.kernels import compiler, intrinsic, native, part

LANES = 64
ONES = np.uint64(0x0101010101010101)
TOPS = np.uint64(0x8080808080808080)

THREE_BYTE_MARKS = (0xE38081, 0xE38082, 0xEFBC8C, 0xEFBC9A, 0xEFBC9B, 0xEFBC81, 0xEFBC9F)
"""The UTF-8 of ideographic comma and full stop, and of full-width comma, colon, semicolon, and exclamation and question
mark: separators, which fold to one."""

if not native.COMPLETE:  # needed to write the intrinsics; with a complete library nothing is compiled here
    compiler()
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils

    U8 = ir.IntType(8)
    U64 = ir.IntType(64)
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
def store8(typingctx: Any, array: Any, index: Any, word: Any) -> Any:
    """Write a uint64 as 8 bytes, little-endian, into the uint8 `array` from `index` on (no bounds check)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.bitcast(_pointer(context, builder, signature.args[0], *args[:2]), U64.as_pointer())
        builder.store(args[2] if _little_endian() else builder.bswap(args[2]), pointer, align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.uint64), codegen


@intrinsic
def multiply(typingctx: Any, left: Any, right: Any) -> Any:
    """Return the low and the high 64 bits of the product of two uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(value, wide) for value in args))
        high = builder.lshr(product, ir.Constant(wide, 64))
        halves = [builder.trunc(half, U64) for half in (product, high)]
        return context.make_tuple(builder, signature.return_type, halves)

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), codegen


@intrinsic
def classify(typingctx: Any, source: Any, at: Any, target: Any, to: Any) -> Any:
    """Lower-case 64 bytes of `source` from `at` into `target` from `to` (ASCII letters only; no bounds check).

    Returns two uint64 masks, bit i for byte i. The first marks the bytes of words: ASCII letters, digits, underscore,
    and the lower-case letters of Latin-1, which fold to themselves. The second marks the bytes to be looked at more
    closely: all others beyond ASCII, except the dashes and quotes from U+2010 to U+2027 (without U+2017, which has a
    mapping), which separate words like those of ASCII. A sequence that the end of the block cuts off is marked in the
    second mask.
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

        def equal(byte: int) -> Any:
            return builder.bitcast(builder.icmp_unsigned("==", block, _splat(byte)), U64)

        def among(first: int, count: int, less: int) -> Any:
            inside = builder.icmp_unsigned("<", builder.sub(block, _splat(first)), _splat(count))
            return builder.bitcast(builder.and_(inside, builder.icmp_unsigned("!=", block, _splat(less))), U64)

        def shifted(mask: Any, count: int) -> Any:  # to higher bytes; to lower ones if the count is negative
            shift = builder.shl if count > 0 else builder.lshr
            return shift(mask, ir.Constant(U64, abs(count)))

        letter = builder.and_(equal(0xC3), shifted(among(0xA0, 0x20, 0xB7), -1))
        letter = builder.or_(letter, shifted(letter, 1))
        mark = builder.and_(shifted(equal(0x80), -1), shifted(among(0x90, 0x18, 0x97), -2))
        mark = builder.and_(equal(0xE2), mark)
        mark = builder.or_(mark, builder.or_(shifted(mark, 1), shifted(mark, 2)))
        word = builder.or_(builder.bitcast(word, U64), letter)
        other = builder.and_(builder.bitcast(other, U64), builder.not_(builder.or_(letter, mark)))
        return context.make_tuple(builder, pair, [word, other])

    return types.UniTuple(types.uint64, 2)(source, types.intp, target, types.intp), codegen


@intrinsic
def spread16(typingctx: Any, source: Any, at: Any, target: Any, to: Any) -> Any:
    """Write 16 sequences of three bytes of `source` from `at` into `target` from `to`, after a zero byte each.

    Returns two uint64 masks, bit i for sequence i: those that are code points from U+4E00 to U+9FFF, hiragana or
    katakana; and those that are a mark of `THREE_BYTE_MARKS`. Reads 52 bytes, writes 64; no bounds check.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        read = _pointer(context, builder, signature.args[0], args[0], args[1])
        write = _pointer(context, builder, signature.args[2], args[2], args[3])
        sixteen, half = ir.VectorType(U8, 16), ir.IntType(32)
        many = ir.VectorType(half, 16)
        zeros = ir.Constant(sixteen, [0] * 16)
        order = (16, 2, 1, 0) if _little_endian() else (0, 1, 2, 16)

        def joined(parts: list[Any]) -> Any:
            while len(parts) > 1:
                count = 2 * parts[0].type.count
                every = ir.Constant(ir.VectorType(half, count), list(range(count)))
                parts = [
                    builder.shuffle_vector(left, right, every)
                    for left, right in zip(parts[::2], parts[1::2], strict=True)
                ]
            return parts[0]

        written: list[Any] = []
        numbers: list[Any] = []
        for part_of in range(4):
            place = builder.gep(read, [ir.Constant(U64, 12 * part_of)])
            block = builder.load(builder.bitcast(place, sixteen.as_pointer()), align=1)
            for found, byte_order in ((written, (16, 0, 1, 2)), (numbers, order)):
                indices = [index if index == 16 else 3 * i + index for i in range(4) for index in byte_order]
                chosen = ir.Constant(ir.VectorType(half, 16), indices)
                found.append(builder.shuffle_vector(block, zeros, chosen))
        builder.store(joined(written), builder.bitcast(write, VECTOR.as_pointer()), align=1)
        points = builder.bitcast(joined(numbers), many)

        def every16(value: int) -> Any:
            return ir.Constant(many, [value] * 16)

        def among(first: int, last: int) -> Any:
            count = every16((last - first << 8) + 1)
            return builder.icmp_unsigned("<", builder.sub(points, every16(first << 8)), count)

        whole = builder.icmp_unsigned("==", builder.and_(points, every16(0xC0C000)), every16(0x808000))
        own = builder.or_(among(0xE4B880, 0xE9BFBF), builder.or_(among(0xE38181, 0xE38296), among(0xE382A1, 0xE383BA)))
        mark = builder.icmp_unsigned("==", points, every16(THREE_BYTE_MARKS[0] << 8))
        for known in THREE_BYTE_MARKS[1:]:
            mark = builder.or_(mark, builder.icmp_unsigned("==", points, every16(known << 8)))
        masks = [builder.zext(builder.bitcast(mask, ir.IntType(16)), U64) for mask in (builder.and_(own, whole), mark)]
        return context.make_tuple(builder, signature.return_type, masks)

    return types.UniTuple(types.uint64, 2)(source, types.intp, target, types.intp), codegen


@intrinsic
def digits(typingctx: Any, source: Any, at: Any) -> Any:
    """Return which of 64 bytes of `source` from `at` on are digits of ASCII, and which may lead a digit beyond it.

    Two uint64 masks, bit i for byte i; no bounds check. A lead is the first byte of a code point of UTF-8.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        read = _pointer(context, builder, signature.args[0], args[0], args[1])
        block = builder.load(builder.bitcast(read, VECTOR.as_pointer()), align=1)
        plain = builder.icmp_unsigned("<", builder.sub(block, _splat(ord("0"))), _splat(10))
        lead = builder.icmp_unsigned("==", block, _splat(0xD9))
        for byte in (0xDB, 0xDF, 0xE0, 0xE1, 0xEA, 0xF0):
            lead = builder.or_(lead, builder.icmp_unsigned("==", block, _splat(byte)))
        masks = [builder.bitcast(mask, U64) for mask in (plain, lead)]
        return context.make_tuple(builder, signature.return_type, masks)

    return types.UniTuple(types.uint64, 2)(source, types.intp), codegen


@intrinsic
def narrow(typingctx: Any, source: Any, at: Any, target: Any, to: Any) -> Any:
    """Write the low bytes of 64 unsigned integers of `source` from `at` into `target` from `to` (no bounds check).

    Returns a uint64 mask, bit i for integer i, of the integers that are not ASCII.
    """
    width = source.dtype.bitwidth
    wide = ir.VectorType(ir.IntType(width), LANES)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        read = _pointer(context, builder, signature.args[0], args[0], args[1])
        write = _pointer(context, builder, signature.args[2], args[2], args[3])
        points = builder.load(builder.bitcast(read, wide.as_pointer()), align=width // 8)
        low = points if width == U8.width else builder.trunc(points, VECTOR)
        builder.store(low, builder.bitcast(write, VECTOR.as_pointer()), align=1)
        return builder.bitcast(builder.icmp_unsigned(">", points, ir.Constant(wide, [0x7F] * LANES)), U64)

    return types.uint64(source, types.intp, target, types.intp), codegen


@intrinsic
def equal4(typingctx: Any, values: Any, left: Any, right: Any) -> Any:
    """Return how many pairs of ``values[left:left + 4]`` and ``values[right:right + 4]`` are equal (no bounds check).

    Four vector comparisons: one block against the four rotations of the other.
    """
    four = ir.VectorType(U64, 4)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        blocks = []
        for place in args[1:]:
            pointer = _pointer(context, builder, signature.args[0], args[0], place)
            blocks.append(builder.load(builder.bitcast(pointer, four.as_pointer()), align=1))
        same = builder.icmp_unsigned("==", *blocks)
        for turn in range(1, 4):
            order = ir.Constant(ir.VectorType(ir.IntType(32), 4), [(i + turn) % 4 for i in range(4)])
            turned = builder.shuffle_vector(blocks[1], ir.Constant(four, ir.Undefined), order)
            same = builder.or_(same, builder.icmp_unsigned("==", blocks[0], turned))
        bits = builder.zext(builder.bitcast(same, ir.IntType(4)), U64)
        return builder.ctpop(bits)

    return types.int64(values, types.intp, types.intp), codegen


def _lowest(lanes: int) -> Any:
    """Return the intrinsic that works on so many lanes: they are kept in registers for all values of a row."""

    @intrinsic
    def lowest(
        typingctx: Any, values: Any, start: Any, end: Any, multipliers: Any, addends: Any, lane: Any, at: Any
    ) -> Any:
        """Write into ``lane[at:at + lanes]`` the least ``a * (value >> 32) + c`` of each lane (uint32, wraps).

        The values are the uint64 ``values[start:end]``; without values, all bits of the result are ones. No bounds
        check.
        """

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kinds = signature.args
            half = ir.IntType(32)
            vector = ir.VectorType(half, lanes)
            undefined = ir.Constant(vector, ir.Undefined)

            def place(number: int) -> Any:
                return builder.bitcast(
                    _pointer(context, builder, kinds[number], args[number], args[6]), vector.as_pointer()
                )

            factor, addend = (builder.load(place(number), align=4) for number in (3, 4))
            least = cgutils.alloca_once_value(builder, ir.Constant(vector, [0xFFFFFFFF] * lanes))
            with cgutils.for_range_slice(builder, args[1], args[2], ir.Constant(U64, 1)) as (i, _):
                value = builder.load(_pointer(context, builder, kinds[0], args[0], i))
                high = builder.trunc(builder.lshr(value, ir.Constant(U64, 32)), half)
                first = builder.insert_element(undefined, high, ir.Constant(half, 0))
                every = builder.shuffle_vector(first, undefined, ir.Constant(vector, [0] * lanes))
                found, before = builder.add(builder.mul(factor, every), addend), builder.load(least)
                builder.store(builder.select(builder.icmp_unsigned("<", found, before), found, before), least)
            builder.store(builder.load(least), place(5), align=4)
            return context.get_dummy_value()

        return types.void(values, types.intp, types.intp, multipliers, addends, lane, types.intp), codegen

    return lowest


lowest8, lowest16, lowest32 = _lowest(8), _lowest(16), _lowest(32)


@intrinsic
def trailing_zeros(typingctx: Any, value: Any) -> Any:
    """Return the number of zero bits below the lowest one of the uint64 `value`; 64 for zero."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], cgutils.false_bit)

    return types.int64(types.uint64), codegen


@intrinsic
def leading_zeros(typingctx: Any, value: Any) -> Any:
    """Return the number of zero bits above the highest one of the uint64 `value`; 64 for zero."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], cgutils.false_bit)

    return types.int64(types.uint64), codegen


@intrinsic
def bit_count(typingctx: Any, value: Any) -> Any:
    """Return how many bits of a uint64 are set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


def _little_endian() -> bool:
    return np.dtype(np.uint16).newbyteorder("=") == np.dtype("<u2")


@part
def mix(x: np.uint64) -> np.uint64:
    """Mix 64 bits: every bit of the result depends on every bit of `x`; a bijection."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@part
def multiply_fold(a: np.uint64, b: np.uint64) -> np.uint64:
    """Return the two halves of ``a * b``, folded into one with the factors."""
    low, high = multiply(a, b)
    return low ^ high ^ a ^ b
