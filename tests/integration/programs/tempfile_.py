"""Directories and files that go away by themselves."""

import os
import shutil
import tempfile

with tempfile.TemporaryDirectory() as d:
    for i in range(50):
        with open(os.path.join(d, str(i)), "w") as f:
            f.write("x" * i)
    print(len(os.listdir(d)), sum(os.stat(os.path.join(d, n)).st_size for n in os.listdir(d)))
    shutil.copytree(d, d + "/copy")
    print(len(os.listdir(d + "/copy")))
print(os.path.exists(d))
with tempfile.TemporaryFile() as f:
    f.write(b"abc")
    f.seek(0)
    print(f.read(), os.fstat(f.fileno()).st_nlink)
with tempfile.NamedTemporaryFile() as f:
    print(oct(os.stat(f.name).st_mode), os.path.exists(f.name))
with tempfile.SpooledTemporaryFile(10) as s:
    s.write(b"x" * 100)
    s.seek(50)
    print(len(s.read()))
