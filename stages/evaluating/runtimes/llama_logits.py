"""Logits with llama.cpp of tokens that are there already.

llama.cpp's server tells likelihoods of tokens that it samples, and none of a prompt's. So this calls the C functions of
the library that xllamacpp's server is built on: the same code, settings and file as in llama_cpp.py. Of its structures
only one field is written, the first of the context's parameters, and llama.cpp is asked what it made of it.
"""

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int32, c_uint32, c_void_p
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelmake.errors import UserError
from stages.evaluating.forced import Forced, Piece

if TYPE_CHECKING:
    import numpy as np

LOGGED = 4  # ggml's level of errors
DECODE = 1  # of llama_process: with a cache of keys and values
CONTEXT_STEP = 256  # llama.cpp takes multiples of it


class Settings(ctypes.Structure):
    """Parameters as llama.cpp passes them: opaque, and longer than they are in any version."""

    _fields_ = (("first", c_uint32), ("rest", c_uint32), ("more", ctypes.c_uint64 * 127))


Log = ctypes.CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {  # {function: (result, arguments)}
    "llama_backend_init": (None, ()),
    "llama_log_get": (None, (POINTER(c_void_p), POINTER(c_void_p))),
    "llama_log_set": (None, (c_void_p, c_void_p)),
    "llama_model_default_params": (Settings, ()),
    "llama_model_load_from_file": (c_void_p, (c_char_p, Settings)),
    "llama_model_get_vocab": (c_void_p, (c_void_p,)),
    "llama_model_free": (None, (c_void_p,)),
    "llama_vocab_n_tokens": (c_int32, (c_void_p,)),
    "llama_context_default_params": (Settings, ()),
    "llama_init_from_model": (c_void_p, (c_void_p, Settings)),
    "llama_free": (None, (c_void_p,)),
    "llama_n_ctx": (c_uint32, (c_void_p,)),
    "llama_n_batch": (c_uint32, (c_void_p,)),
    "llama_set_n_threads": (None, (c_void_p, c_int32, c_int32)),
    "llama_get_memory": (c_void_p, (c_void_p,)),
    "llama_memory_clear": (None, (c_void_p, c_bool)),
    "llama_batch_ext_init": (c_void_p, (c_void_p,)),
    "llama_batch_ext_free": (None, (c_void_p,)),
    "llama_batch_ext_clear": (None, (c_void_p,)),
    "llama_batch_ext_add_token": (c_int32, (c_void_p, c_int32, c_int32)),
    "llama_batch_ext_set_pos": (c_bool, (c_void_p, c_int32, POINTER(c_int32))),
    "llama_batch_ext_set_output_logits": (c_bool, (c_void_p, c_int32, c_bool)),
    "llama_process": (c_int32, (c_void_p, c_int32, c_void_p)),
    "llama_get_logits_ith": (POINTER(c_float), (c_void_p, c_int32)),
}


def library() -> Any:
    """llama.cpp inside xllamacpp.

    Raises:
        UserError: this version of xllamacpp has not the functions that are called here.
    """
    import xllamacpp

    (file,) = resources.files(xllamacpp).glob("xllamacpp.*.so")  # not __file__: keys would hold all texts of code
    found = ctypes.CDLL(str(file))
    if missing := [name for name in SIGNATURES if not hasattr(found, name)]:
        raise UserError(f"xllamacpp: no {', '.join(missing)}: want the version that uv.lock has; run `uv sync`")
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


@contextlib.contextmanager
def reading(model: Path, *, longest: int, threads: int) -> Iterator["Reader"]:
    """A reader of conversations of at most `longest` tokens by a GGUF file.

    Raises:
        UserError: llama.cpp cannot load it, or takes other settings than it is given.
    """
    llama = library()
    with contextlib.ExitStack() as at_end:
        at_end.enter_context(_errors_only(llama))
        llama.llama_backend_init()
        loaded = llama.llama_model_load_from_file(str(model).encode(), llama.llama_model_default_params())
        if not loaded:
            raise UserError(f"{model}: llama.cpp cannot load it; its log above says why")
        at_end.callback(llama.llama_model_free, loaded)
        settings = llama.llama_context_default_params()
        settings.first = size = -(-max(longest, 1) // CONTEXT_STEP) * CONTEXT_STEP  # n_ctx
        context = llama.llama_init_from_model(loaded, settings)
        if not context:
            raise UserError(f"{model}: llama.cpp has no room for {size} tokens; its log above says why")
        at_end.callback(llama.llama_free, context)
        if (given := llama.llama_n_ctx(context)) != size:
            raise UserError(f"xllamacpp: a context of {given} tokens: want {size}; run `uv sync`")
        llama.llama_set_n_threads(context, threads, threads)
        batch = llama.llama_batch_ext_init(context)
        at_end.callback(llama.llama_batch_ext_free, batch)
        yield Reader(llama, context, batch, llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(loaded)), str(model))


@contextlib.contextmanager
def _errors_only(llama: Any) -> Iterator[None]:
    before, of_before = c_void_p(), c_void_p()
    llama.llama_log_get(ctypes.byref(before), ctypes.byref(of_before))

    @Log
    def log(level: int, text: bytes, _: int) -> None:
        if level == LOGGED:
            sys.stderr.write(text.decode(errors="replace"))

    llama.llama_log_set(ctypes.cast(log, c_void_p), None)
    try:
        yield
    finally:
        llama.llama_log_set(before, of_before)


class Reader:
    """See `forced.Reader`."""

    def __init__(self, llama: Any, context: int, batch: int, vocab: int, where: str) -> None:
        self._llama, self._context, self._batch, self._where, self.vocab = llama, context, batch, where, vocab

    def logits(self, forced: Forced) -> Iterator["np.ndarray"]:
        import numpy as np

        self._llama.llama_memory_clear(self._llama.llama_get_memory(self._context), False)
        most, begin = self._llama.llama_n_batch(self._context), 0
        for piece in forced.pieces(self.vocab):
            rows = []
            for start in range(0, len(piece.ids), most):
                outputs = [place - start for place in piece.outputs if start <= place < start + most]
                rows += self._read(Piece(piece.ids[start : start + most], outputs), begin + start)
            begin += len(piece.ids)
            yield np.stack(rows)

    def _read(self, piece: Piece, begin: int) -> list["np.ndarray"]:
        """Logits (vocab,) after each of the outputs; `begin` is the place of the first token in the conversation.

        Raises:
            UserError: llama.cpp refuses the tokens.
        """
        import numpy as np

        llama, batch = self._llama, self._batch
        llama.llama_batch_ext_clear(batch)
        for place, token in enumerate(piece.ids):
            at = llama.llama_batch_ext_add_token(batch, 0, token)
            position = (c_int32 * 4)(begin + place)  # some architectures have four positions of a token
            if at != place or not llama.llama_batch_ext_set_pos(batch, at, position):
                raise UserError(f"{self._where}: llama.cpp refuses token {token}: want a file with the model's tokens")
        for place in piece.outputs:
            llama.llama_batch_ext_set_output_logits(batch, place, True)
        if llama.llama_process(self._context, DECODE, batch) != 0:
            raise UserError(f"{self._where}: llama.cpp cannot read {len(piece.ids)} tokens; its log above says why")
        found = (llama.llama_get_logits_ith(self._context, place) for place in piece.outputs)
        return [np.ctypeslib.as_array(logits, (self.vocab,)).copy() for logits in found]
