"""The compiled loop, from the cache where one can be kept.

Numba keeps machine code beside a module's source file, so the loop's source is written to a
private cache folder and imported from there. The name of the module hashes everything that the
machine code depends on, because Numba itself does not notice that an imported function changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import platformdirs

from offby.engine import loop

announce: Callable[[str], None] = lambda text: print(text, file=sys.stderr)  # noqa: E731
"""Called with one line when the loop must be compiled; replace it to say it elsewhere."""

_ONE_AT_A_TIME = threading.Lock()


def run_loop(*arguments: Any) -> int:
    """Run a program over rows; see `loop.source` for the arguments."""
    return _function()(*arguments)  # type: ignore[no-any-return]


def _function() -> Callable[..., int]:
    with _ONE_AT_A_TIME:  # cache() alone would let two threads compile at once
        return _load()


@cache
def _load() -> Callable[..., int]:
    folder = _private_folder()
    if folder is None:
        announce("offby: compiling its loop (a few seconds; no cache folder can be written)")
        return _import(loop.source(cache=False), None).run  # type: ignore[no-any-return]
    path = folder / f"loop_{_fingerprint()}.py"
    if not list(folder.glob(f"__pycache__/{path.stem}.run-*.nbc")):
        announce("offby: compiling its loop, once on this machine (a few seconds)")
    if not path.exists():
        _write(path, loop.source(cache=True))
    return _import(path.read_text(), path).run  # type: ignore[no-any-return]


def _fingerprint() -> str:
    """A hash of the sources and of what compiles them."""
    import llvmlite
    import llvmlite.binding as llvm
    import numba  # type: ignore[import-untyped]

    digest = hashlib.sha256(loop.source(cache=True).encode())
    package = Path(loop.__file__).parent.parent
    for name in ("engine/accumulate", "engine/memory", "formula/bits", "formula/elementary",
                 "formula/kernels"):  # fmt: skip
        digest.update((package / f"{name}.py").read_bytes())
    for version in (numba.__version__, llvmlite.__version__, sys.version, llvm.get_host_cpu_name()):
        digest.update(version.encode())
    return digest.hexdigest()[:24]


def _private_folder() -> Path | None:
    """The user's own cache folder, or None: never one that others could write to.

    What Numba keeps there is a pickle, so a folder of somebody else's is not to be trusted.
    """
    folder = Path(os.environ.get("OFFBY_CACHE_DIR") or platformdirs.user_cache_dir("offby"))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            return None
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def _write(path: Path, text: str) -> None:
    """Write whole or not at all, so that a second process never reads a half."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(name, path)


def _import(text: str, path: Path | None) -> ModuleType:
    name = f"offby_{path.stem}" if path else "offby_loop"
    if path:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    module = ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
    return module
