"""What the scripts beside this file share: archives whose bytes depend on nothing but their contents.

Names are sorted, every time is TIME, every owner is root, and no compressor writes a name or a time of its own.
"""
import gzip
import hashlib
import io
import os
import pathlib
import re
import tarfile
import zipfile

TOP = pathlib.Path(__file__).resolve().parents[2]
TIME = 315619200  # 1980-01-02: zip knows nothing older than 1980
STATIC = TOP / "build" / "static"
ARCHITECTURES = ("x86_64", "aarch64")


def version():
    return re.search(r"^VERSION := (\S+)$", (TOP / "Makefile").read_text(), re.M).group(1)


def binaries():
    """{architecture: path} of the static binaries that were made."""
    found = {arch: STATIC / ("statwit-" + arch) for arch in ARCHITECTURES}
    return {arch: path for arch, path in found.items() if path.is_file()}


def licences(prefix):
    """{name: bytes} of our licence, those of what the binary holds, and a page on them."""
    files = {prefix + "LICENSE": (TOP / "LICENSE").read_bytes(), prefix + "README": about().encode()}
    for path in sorted((STATIC / "licences").rglob("*")):
        if path.is_file():
            files[prefix + str(path.relative_to(STATIC / "licences"))] = path.read_bytes()
    return files


def locked():
    """[(package, version, sha256, file)] of sources.lock."""
    lines = (TOP / ".ci" / "pack" / "sources.lock").read_text().splitlines()
    return [tuple(line.split()) for line in lines if line and not line.startswith("#")]


def compiler():
    return re.search(r"^ziglang==(\S+)", (TOP / ".ci" / "pack" / "zig.lock").read_text(), re.M).group(1)


def about():
    parts = sorted({(package, version) for package, version, _, _ in locked()})
    return """statwit %s is free software under the MIT licence (LICENSE).

The static binary also holds these libraries, each under the licence in the folder of its name:

%s  musl, as it comes with zig %s

GnuTLS, nettle and libmicrohttpd are under the GNU Lesser General Public License. You may change them and build the binary anew: the
exact sources are statwit-%s-third-party-sources.tar of the same release, and `make static` of statwit's own sources builds the binary
from them (STATIC_SOURCES=DIRECTORY says where they are). Nothing forbids to take the binary apart to mend that.
""" % (version(), "".join("  %s, from Debian's source package %s\n" % part for part in parts), compiler(), version())


def tar(files, prefix=""):
    """An uncompressed tar of {name: bytes, or (bytes, mode), or None for a folder}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, value in sorted(files.items()):
            body, mode = value if isinstance(value, tuple) else (value, 0o755 if value is None else 0o644)
            entry = tarfile.TarInfo(prefix + name)
            entry.mode, entry.mtime, entry.uname, entry.gname = mode, TIME, "root", "root"
            if body is None:
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            else:
                entry.size = len(body)
                archive.addfile(entry, io.BytesIO(body))
    return out.getvalue()


def gz(body):
    return gzip.compress(body, 9, mtime=0)


def zip_file(files):
    """A zip of {name: bytes or (bytes, mode)}, in the order given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, value in files.items():
            body, mode = value if isinstance(value, tuple) else (value, 0o644)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr, entry.compress_type, entry.create_system = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED, 3
            archive.writestr(entry, body)
    return out.getvalue()


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def write(folder, name, body):
    folder = TOP / folder
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / (name + ".new")
    new.write_bytes(body)
    os.replace(new, folder / name)
    print("%s: %d bytes, sha256 %s…" % ((folder / name).relative_to(TOP), len(body), sha256(body)[:16]))
