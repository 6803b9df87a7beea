"""What the scripts that compare with others print alike: where, when, and how sure."""

import datetime
import os
import pathlib
import statistics
import subprocess
import sys


def machine():
    """The processor's name as the system tells it."""
    for line in pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def circumstances():
    return f"{machine()}, {os.cpu_count()} cores; {datetime.date.today().isoformat()}."


def quartiles(values):
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


# A process counts the memory of the one that started it: this one may hold PyTorch, so a small one stands between.
LAUNCH = """
import resource, subprocess, sys, time
begin = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
seconds = time.perf_counter() - begin
sys.stdout.write(done.stdout.decode() + "\\n" + repr((seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)))
sys.exit(done.returncode)
"""


def run(command, environment=None, launcher=()):
    """What a command prints. One that fails ends this one, with the end of what it said."""
    words = [str(word) for word in command]
    done = subprocess.run([*launcher, *words], capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words[:2])}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def run_measured(command, environment=None):
    """Seconds and resident MiB at most of a whole process, and what it prints."""
    text, _, numbers = run(command, environment, [sys.executable, "-S", "-c", LAUNCH]).rpartition("\n")
    seconds, mib = (float(number) for number in numbers.strip("()").split(","))
    return seconds, mib, text
