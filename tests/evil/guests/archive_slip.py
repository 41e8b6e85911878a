# tries: have archives unpacked over what is outside
# expect: finished
# leaves: nothing
import io
import os
import tarfile
import zipfile

from attempts import CSV, WORLD

names = ["../../escaped", "/escaped", f"{WORLD}/escaped", CSV, "../data/../../../escaped"]
os.chdir("/tmp")
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w") as tar:
    for name in names:
        tar.addfile(tarfile.TarInfo(name))
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, WORLD
    tar.addfile(link)
    tar.addfile(tarfile.TarInfo("link/escaped"))
for trust in ["fully_trusted", "tar", "data"]:
    packed.seek(0)
    with tarfile.open(fileobj=packed) as tar:
        for member in tar:
            try:
                tar.extract(member, filter=trust)
            except (OSError, tarfile.TarError, KeyError):
                pass
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    for name in names:
        archive.writestr(name, "x")
with zipfile.ZipFile(packed) as archive:
    for name in names:
        try:
            archive.extract(name)
        except OSError:
            pass
