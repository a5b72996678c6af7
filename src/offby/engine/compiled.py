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
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import platformdirs

from offby.engine import loop

announce: Callable[[str], None] = lambda text: print(text, file=sys.stderr)  # noqa: E731
"""Called with one line when the loop must be compiled; replace it to say it elsewhere."""

_ONE_AT_A_TIME = threading.Lock()
_LOADED: dict[str, Callable[..., int]] = {}
_IN_WORDS = {"run": "its loop"}


def run_loop(*arguments: Any) -> int:
    """Run a program over rows; see `loop.source` for the arguments."""
    return _function("run", arguments)(*arguments)


def run_other(name: str, *arguments: Any) -> int:
    """Run another function of the loop's source: `run_groups`, `sort_rows` or `merge_keys`."""
    return _function(name, arguments)(*arguments)


def _function(name: str, arguments: tuple[Any, ...]) -> Callable[..., int]:
    with _ONE_AT_A_TIME:  # or two threads would compile at once
        if name not in _LOADED:
            _LOADED[name] = _load(name, tuple(map(numba.typeof, arguments)))
        return _LOADED[name]


def _load(name: str, types: tuple[Any, ...]) -> Callable[..., int]:
    """A function for arguments of these types, compiled or from the cache."""
    folder = _private_folder()
    if folder is not None:
        path = folder / f"loop_{_fingerprint()}.py"
        for _ in range(2):
            with suppress(Exception):  # whatever reading a damaged cache, or a full disk, brings up
                return _cached(path, name, types)
            _remove(path)
    what = _IN_WORDS.get(name, f"its {name}")
    announce(f"offby: compiling {what} (a few seconds; no cache folder can be written)")
    return _compiled(_in_memory(loop.source(cache=False)), name, types)


def _cached(path: Path, name: str, types: tuple[Any, ...]) -> Callable[..., int]:
    if not list(path.parent.glob(f"__pycache__/{path.stem}.{name}-*.nbc")):
        what = _IN_WORDS.get(name, f"its {name}")
        announce(f"offby: compiling {what}, once on this machine (a few seconds)")
    if not path.exists():
        _write(path, loop.source(cache=True))
    return _compiled(_imported(path), name, types)


def _compiled(module: ModuleType, name: str, types: tuple[Any, ...]) -> Callable[..., int]:
    function = getattr(module, name)
    function.compile(types)
    return function  # type: ignore[no-any-return]


def _remove(path: Path) -> None:
    for file in (path, *path.parent.glob(f"__pycache__/{path.stem}.*")):
        with suppress(OSError):
            file.unlink()


def _fingerprint() -> str:
    """A hash of the sources and of what compiles them."""
    import llvmlite
    import llvmlite.binding as llvm

    digest = hashlib.sha256(loop.source(cache=True).encode())
    package = Path(loop.__file__).parent.parent
    for name in ("engine/accumulate", "engine/grouping", "engine/memory", "formula/bits",
                 "formula/elementary", "formula/kernels"):  # fmt: skip
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


def _imported(path: Path) -> ModuleType:
    name = f"offby_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where Numba looks for it
    spec.loader.exec_module(module)
    return module


def _in_memory(text: str) -> ModuleType:
    module = ModuleType("offby_loop")
    exec(compile(text, module.__name__, "exec"), module.__dict__)
    return module
