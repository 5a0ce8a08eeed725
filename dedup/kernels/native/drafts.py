"""LLVM's code of the kernels, as numba writes it, before it is optimised: the same for every processor level.

numba optimises each function for this machine as soon as it is compiled. Here each function is kept unoptimised
(`Draft`), a kernel is given its entry point, and then all are optimised for each level in the way that numba does it.

An entry point has the same C signature for all kernels::

    int32_t entry(const int64_t *arguments, int64_t *results)

An array is the address of its items, followed by its lengths. A scalar is one word (for a double, its bits). A returned
array is the address of the owner of its memory (0 if it is one of the arguments), the address of its items, and its
lengths. The entry point returns 0, or numba's number of an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import AOTCodeLibrary, AOTCPUCodegen, initialize_llvm
from numba.core.compiler_lock import global_compiler_lock
from numba.core.llvm_bindings import create_pass_builder
from numba.core.registry import cpu_target
from numba.np.arrayobj import populate_array

from dedup.kernels import compiling

__all__ = ["draft", "object_code", "prepare", "target_machine"]

WORD_TYPE = ir.IntType(64)
STATUS = ir.IntType(32)
TUPLES = (types.Tuple, types.UniTuple)

REFERENCES = llvm.RefPruneSubpasses.ALL


class Draft(AOTCodeLibrary):  # type: ignore[misc]  # numba has no types
    """The code of one function, not optimised, and the libraries that it calls."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self._made: dict[Any, Any] = {}

    def add_llvm_module(self, ll_module: Any) -> None:
        """Keep a module as it is."""
        self._final_module.link_in(ll_module)

    def finalize(self) -> None:
        """Do nothing: the code is linked when it is used."""
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002  # numba's interface
        """Return 0: the code is not loaded here."""
        return 0

    def optimised(self, machine: Any) -> Any:
        """Return this code with all code that it calls, optimised for a machine: numba's passes, in numba's order.

        The called code is optimised first, by itself, and so only once for all its callers.
        """
        if machine in self._made:
            return self._made[machine]
        module = self._final_module.clone()
        for function in module.functions:
            builder = create_pass_builder(machine, opt=3, loop_vectorize=True, slp_vectorize=False)
            passes = builder.getFunctionPassManager()
            passes.add_refprune_pass(REFERENCES)
            passes.run(function, builder)
        for library in dict.fromkeys(self._linking_libraries):
            own = isinstance(library, Draft)  # else numba's memory runtime: already optimised
            module.link_in(library.to_link(machine) if own else library._get_module_for_linking().clone())  # noqa: SLF001
        builder = create_pass_builder(machine, opt=0, loop_vectorize=False, slp_vectorize=False)
        passes = builder.getModulePassManager()
        passes.add_loop_rotate_pass()
        passes.add_instruction_combine_pass()
        passes.add_jump_threading_pass()
        passes.add_refprune_pass(REFERENCES)
        passes.run(module, builder)
        builder = create_pass_builder(machine, opt=3, loop_vectorize=True, slp_vectorize=False)
        passes = builder.getModulePassManager()
        passes.add_refprune_pass(REFERENCES)
        passes.run(module, builder)
        self._made[machine] = module
        return module

    def to_link(self, machine: Any) -> Any:
        """Return a copy of the optimised code for its callers, which may inline it or drop it."""
        module = self.optimised(machine).clone()
        for function in module.functions:
            if not function.is_declaration and function.linkage == llvm.Linkage.external:
                function.linkage = "linkonce_odr"
        return module


class Drafts(AOTCPUCodegen):  # type: ignore[misc]
    """numba's back end, without optimisation."""

    _library_class = Draft

    def set_env(self, env_name: str, env: Any) -> None:
        """Do nothing: the code here needs none of Python's objects."""


def prepare() -> None:
    """Make numba's compiler write drafts from now on in this process; import the kernels after this call."""
    compiling.KEPT = False
    context = cpu_target.target_context
    context.refresh()
    context._internal_codegen = Drafts("dedup")  # noqa: SLF001  # numba has no other way


def draft(function: Callable[..., Any], symbol: str, signed: str) -> tuple[Draft, str]:
    """Return the code of a kernel with the entry point `symbol`, and the letters of what it returns."""
    with global_compiler_lock:
        arguments = compiling.types_of(function, signed)
        dispatcher: Any = compiling.shared(function)
        dispatcher.compile(arguments)
        compiled = dispatcher.overloads[arguments]
        library = compiled.library
        module = compiled.target_context.codegen()._create_empty_module(symbol)  # noqa: SLF001  # as its libraries do
        returned = compiled.signature.return_type
        _write_entry(compiled.target_context, module, compiled.fndesc, symbol, arguments, returned)
        library.add_llvm_module(llvm.parse_assembly(cgutils.normalize_ir_text(str(module))))
        return library, _letters(returned)


def _write_entry(
    context: Any, module: Any, description: Any, symbol: str, arguments: tuple[Any, ...], returned: Any
) -> None:
    """Write the function that takes words, calls a kernel, and returns words."""
    kind = ir.FunctionType(STATUS, [WORD_TYPE.as_pointer(), WORD_TYPE.as_pointer()])
    entry = ir.Function(module, kind, symbol)
    builder = ir.IRBuilder(entry.append_basic_block())
    words = _words(builder, entry.args[0])
    values = [_argument(context, builder, kind, words) for kind in arguments]
    function = context.declare_function(module, description)
    status, result = context.call_conv.call_function(builder, function, returned, arguments, values)
    with cgutils.if_likely(builder, status.is_ok):
        at = 0
        for kind, value in _results(builder, returned, result):
            for word in _result(context, builder, kind, value):
                builder.store(word, builder.gep(entry.args[1], [ir.Constant(WORD_TYPE, at)]))
                at += 1
    builder.ret(status.code)


def _words(builder: Any, pointer: Any) -> Iterator[Any]:
    at = 0
    while True:
        yield builder.load(builder.gep(pointer, [ir.Constant(WORD_TYPE, at)]))
        at += 1


def _argument(context: Any, builder: Any, kind: Any, words: Iterator[Any]) -> Any:
    if isinstance(kind, TUPLES):
        return context.make_tuple(builder, kind, [_argument(context, builder, each, words) for each in kind])
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder)
        data = builder.inttoptr(next(words), array.data.type)
        shape = [next(words) for _ in range(kind.ndim)]
        size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
        strides = [ir.Constant(WORD_TYPE, size)]
        for length in shape[:0:-1]:
            strides.insert(0, builder.mul(strides[0], length))
        populate_array(array, data, shape, strides, ir.Constant(WORD_TYPE, size), None)
        return array._getvalue()  # noqa: SLF001  # as in all of numba's own code
    word = next(words)
    if kind == types.boolean:
        return builder.icmp_unsigned("!=", word, ir.Constant(WORD_TYPE, 0))
    return builder.bitcast(word, context.get_value_type(kind))


def _results(builder: Any, returned: Any, result: Any) -> Iterator[tuple[Any, Any]]:
    if returned == types.none:
        return
    if isinstance(returned, TUPLES):
        for i, kind in enumerate(returned):
            yield kind, builder.extract_value(result, i)
    else:
        yield returned, result


def _result(context: Any, builder: Any, kind: Any, value: Any) -> Iterator[Any]:
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        yield builder.ptrtoint(array.meminfo, WORD_TYPE)
        yield builder.ptrtoint(array.data, WORD_TYPE)
        yield from cgutils.unpack_tuple(builder, array.shape, kind.ndim)
    elif kind == types.boolean:
        yield builder.zext(value, WORD_TYPE)
    else:
        yield builder.bitcast(value, WORD_TYPE)


NUMBA_LETTERS = {types.int64: "q", types.uint64: "Q", types.float64: "d", types.boolean: "?"}
ITEMS = {
    types.uint8: "B",
    types.uint16: "H",
    types.uint32: "I",
    types.uint64: "Q",
    types.int32: "i",
    types.int64: "q",
    types.boolean: "?",
    types.float64: "d",
}


def _letters(returned: Any) -> str:
    """Return the letters of what a kernel returns, one word per value; several are in brackets."""
    if returned == types.none:
        return ""
    if isinstance(returned, TUPLES):
        return f"({','.join(_letters(each) for each in returned)})"
    if isinstance(returned, types.Array):
        assert returned.layout == "C", returned
        return f"{ITEMS[returned.dtype]}{returned.ndim}"
    return NUMBA_LETTERS[getattr(returned, "literal_type", returned)]


def target_machine(cpu: str) -> Any:
    """Return LLVM's machine of a processor level, for code that may be anywhere in memory."""
    initialize_llvm()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(cpu=cpu, features="", opt=3, reloc="pic", codemodel="default")


def object_code(library: Draft, machine: Any, symbol: str, name: str) -> bytes:
    """Return the object code of a draft for a machine. Its entry point is renamed; all other symbols are internal."""
    module = library.optimised(machine).clone()
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != symbol:
            value.linkage = "internal"
    entry = module.get_function(symbol)
    entry.visibility = "hidden"
    entry.name = name
    module.verify()
    return bytes(machine.emit_object(module))
