"""clear_runpath.py FILE...: removes DT_RPATH and DT_RUNPATH from 64-bit ELF files, in place.

A build's search paths name the machine it was made on; a packed program is told by LD_LIBRARY_PATH where its libraries are.
"""

import pathlib
import struct
import sys

PT_DYNAMIC, DT_NULL, DT_RPATH, DT_RUNPATH = 2, 0, 15, 29
ENTRY = struct.Struct("<QQ")


def dynamic_section(data):
    """Offset and size of the dynamic section in the file, or (0, 0) where there is none."""
    if data[:5] != b"\x7fELF\x02":
        sys.exit("not a 64-bit ELF file")
    headers, entry_size, entries = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    for i in range(entries):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, headers + i * entry_size)
        if kind == PT_DYNAMIC:
            return offset, size
    return 0, 0


def cleared(data):
    offset, size = dynamic_section(data)
    entries = list(ENTRY.iter_unpack(data[offset:offset + size]))
    kept = [entry for entry in entries if entry[0] not in (DT_RPATH, DT_RUNPATH)]
    kept += [(DT_NULL, 0)] * (len(entries) - len(kept))
    return data[:offset] + b"".join(ENTRY.pack(*entry) for entry in kept) + data[offset + size:]


for name in sys.argv[1:]:
    path = pathlib.Path(name)
    path.write_bytes(cleared(path.read_bytes()))
