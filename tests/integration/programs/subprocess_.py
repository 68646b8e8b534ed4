"""Pipes, exit codes, signals, time limits, inherited descriptors."""

import os
import signal
import subprocess
import sys

print(subprocess.run(["echo", "hello"], capture_output=True, text=True).stdout)
print(subprocess.run("exit 3", shell=True).returncode)
p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(len(p.communicate(b"x" * 300000)[0]), p.returncode)
p = subprocess.Popen(["sleep", "60"])
p.send_signal(signal.SIGTERM)
print(p.wait())
try:
    subprocess.run(["sleep", "60"], timeout=0.1)
except subprocess.TimeoutExpired:
    print("timeout")
try:
    subprocess.run(["/no/such/program"])
except FileNotFoundError as error:
    print(error)
one = subprocess.Popen(["seq", "100"], stdout=subprocess.PIPE)
print(subprocess.run(["tail", "-n1"], stdin=one.stdout, capture_output=True).stdout)
print(subprocess.run(["pwd"], cwd="/usr", capture_output=True, start_new_session=True).stdout)
print(subprocess.run(["env"], env={"ONLY": "this"}, capture_output=True).stdout)
print([subprocess.call([sys.executable, "-c", f"raise SystemExit({i})"]) for i in (0, 5)])
r, w = os.pipe()
subprocess.run(["sh", "-c", f"echo fd >&{w}"], pass_fds=[w])
print(os.read(r, 9))
