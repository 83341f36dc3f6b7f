"""A tree in, one complete NetCDF file out; a stranger's file in, its tree or a refusal out.

A file is made in memory and then written like any other: a full disk is an error of the disk, and
not a crash of HDF5, which writes when it closes.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, Final

import h5py
import xarray as xr

from attribution.errors import DataError
from attribution.folder import write_bytes

ENGINE: Final = "h5netcdf"
ROOM = 8
"""Times the size of its file that an array may take in memory; ours are stored as they are."""
SPARE = 1 << 20
"""Bytes that an array may take whatever the size of its file."""
DEEP = 32
"""Levels of groups that a file may have; ours have three."""


def save(tree: xr.DataTree, path: Path) -> None:
    """Write a tree as NetCDF: the file is complete, or the old one stays.

    Raises
    ------
    OSError
        If the disk is full, or the file may not be written.
    """
    image = BytesIO()
    tree.to_netcdf(image, engine=ENGINE)
    write_bytes(image.getbuffer(), path)


def load(path: Path) -> xr.DataTree:
    """Read a saved tree into memory.

    Raises
    ------
    DataError
        If the file is missing, is not one of ours, or reaches out of itself.
    """
    if not path.is_file():
        raise DataError(f"{path.name}: no such file in {path.parent}; run 'attribution fit' first")
    return read(path.read_bytes(), path.name)


def read(data: bytes, name: str) -> xr.DataTree:
    """Read the bytes of a saved tree, whose file is called ``name``.

    Raises
    ------
    DataError
        If they are not of a saved tree, or reach out of their file.
    """
    try:
        with h5py.File(BytesIO(data), "r") as file:
            refuse_foreign(file, len(data), name)
        with xr.open_datatree(BytesIO(data), engine=ENGINE) as tree:
            # a tree's own load leaves a variable that is named like its group in the file
            held = {node.path: node.to_dataset(inherit=False).load() for node in tree.subtree}
            return xr.DataTree.from_dict(held)
    except DataError:
        raise
    except Exception as error:  # of whatever layer meets what it does not expect
        raise DataError(
            f"{name}: cannot be read as a saved run ({_short(error)}); run 'attribution fit' again"
        ) from None


def refuse_foreign(file: h5py.File, size: int, name: str) -> None:
    """Refuse what no run of ours holds and what reading would follow, before anything is read.

    That is links to other files or to another name, arrays that lie in other files or are views of
    such, anything that is reached by two ways, and arrays far larger than their file.

    Raises
    ------
    DataError
        Naming the first.
    """
    seen = {_address(file)}
    waiting: list[tuple[h5py.Group, str, int]] = [(file, "", 0)]
    while waiting:
        group, path, depth = waiting.pop()
        for key in group:
            place = f"{path}/{key}"
            fault = _fault(group, key, seen, size, depth)
            if fault:
                raise DataError(
                    f"{name}: '{_short(place)}' is {fault}, which no run holds; do not trust the"
                    " file, and fit the model again"
                )
            inner = group[key]
            if isinstance(inner, h5py.Group):
                waiting.append((inner, place, depth + 1))


def _fault(group: h5py.Group, key: str, seen: set[Any], size: int, depth: int) -> str:
    link = group.get(key, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        return "a link to another file"
    if not isinstance(link, h5py.HardLink):
        return "a link to another name"
    inner = group[key]
    address = _address(inner)
    if address in seen:
        return "reached by two ways"
    seen.add(address)
    if depth > DEEP:
        return f"more than {DEEP} groups deep"
    if isinstance(inner, h5py.Dataset):
        if inner.is_virtual:
            return "a view of other arrays"
        if inner.external or inner.id.get_create_plist().get_external_count():
            return "stored in another file"
        if inner.nbytes > ROOM * size + SPARE:
            return f"an array of {inner.nbytes:,} bytes in a file of {size:,}"
    elif not isinstance(inner, h5py.Group):
        return "neither a group nor an array"
    return ""


def _address(inner: h5py.Group | h5py.Dataset | h5py.Datatype) -> Any:
    found = h5py.h5o.get_info(inner.id)
    return found.fileno, found.addr


def _short(found: object) -> str:
    """Return a text on one line, without what a terminal would obey."""
    words = " ".join(str(found).split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)[:200]
