"""Runs with worker processes: shared folders, leases left behind, workers that die or hang, disks that are full.

Called as: jobs.py AUXBENCH SOURCE_ROOT [unittest arguments]
"""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
SOURCE = pathlib.Path(sys.argv.pop(1))
SMOKE = SOURCE / "suites" / "smoke.json"
VARIES = ("seconds", "provenance", "rerun")
LONG = ("--set", "train_images=0", "--set", "pretrain.epochs=50", "--only", "resnet18-fp-s0")


def records(folder):
    """Each cell's own, without what may differ between two runs."""
    found = {}
    for path in folder.glob("cells/*/record.json"):
        record = json.loads(path.read_text())
        found[record["id"]] = {key: value for key, value in record.items() if key not in VARIES}
    return found


def workers_of(parent):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(entry.name))
        except (OSError, IndexError):
            pass
    return found


class Jobs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="auxbench-jobs-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.out = self.folder / "out"

    def command(self, *arguments, out=None):
        return [PROGRAM, "run", SMOKE, "--tier", "smoke", "--out", str(out or self.out), *map(str, arguments)]

    def run_it(self, *arguments, out=None, **options):
        return subprocess.run(self.command(*arguments, out=out), capture_output=True, text=True, timeout=400, **options)

    def start(self, *arguments, out=None, **options):
        process = subprocess.Popen(self.command(*arguments, out=out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def wait_for(self, what, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            time.sleep(0.05)
        self.fail("it did not come to pass")

    def at_work(self, process, out=None):
        """The worker that has a lease."""
        def leased():
            self.assertIsNone(process.poll(), "the run ended")
            for lease in (out or self.out).glob("cells/*/lease"):
                try:
                    return json.loads(lease.read_text())["process"]
                except (OSError, ValueError):
                    return None
            return None
        return self.wait_for(leased)

    def test_a_record_depends_on_neither_jobs_nor_runs_that_share_a_folder(self):
        alone = self.run_it("--jobs", 1, out=self.folder / "alone")
        self.assertEqual(alone.returncode, 0, alone.stderr)
        self.assertIn(" 1 job\n", alone.stderr)
        expected = records(self.folder / "alone")
        self.assertEqual(len(expected), 7)
        first, second = self.start("--jobs", 2), self.start("--jobs", 1)
        said = [process.communicate(timeout=400)[1] for process in (first, second)]
        self.assertEqual((first.returncode, second.returncode), (0, 0), said)
        self.assertEqual(records(self.out), expected)
        counts = [[int(word) for word in re.search(r"(\d+) completed, (\d+) cached", text).groups()] for text in said]
        self.assertEqual([sum(pair) for pair in counts], [7, 7], said)
        self.assertGreaterEqual(sum(pair[0] for pair in counts), 7)
        self.assertEqual(list(self.out.glob("cells/*/lease")), [])

    def test_a_signal_ends_at_checkpoints_and_a_second_one_at_once(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            out = self.folder / f"signal{code}"
            process = self.start(*LONG, out=out)
            self.at_work(process, out)
            time.sleep(2)
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=120), code)
            self.assertEqual(len(list(out.glob("cells/*/checkpoint.safetensors"))), 1)
            self.assertEqual(list(out.glob("cells/*/lease")), [])
        process = self.start(*LONG)
        worker = self.at_work(process)
        os.kill(worker, signal.SIGSTOP)  # it cannot come to its checkpoint
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(timeout=30), (-signal.SIGINT, 130))
        os.kill(worker, signal.SIGKILL)

    def test_workers_whose_run_was_killed_leave_at_a_checkpoint(self):
        process = self.start(*LONG)
        worker = self.at_work(process)
        time.sleep(2)
        process.kill()
        process.wait()
        self.wait_for(lambda: not pathlib.Path(f"/proc/{worker}").exists() or
                      (pathlib.Path(f"/proc/{worker}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"))
        self.assertEqual(len(list(self.out.glob("cells/*/checkpoint.safetensors"))), 1)
        self.assertEqual(list(self.out.glob("cells/*/lease")), [])

    def test_a_worker_that_dies_costs_its_cell_twice_and_then_the_others_go_on(self):
        process = self.start("--jobs", 1, *LONG[:4], "--only", "resnet18-fp-s0", "--set", "test_images=200")
        first = self.at_work(process)
        os.kill(first, signal.SIGKILL)
        second = self.wait_for(lambda: (found := self.at_work(process)) != first and found)
        os.kill(second, signal.SIGKILL)
        said = process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, 5, said)
        self.assertIn("was killed by signal 9 (out of memory, or by somebody); it had ", said)
        self.assertIn("tried once more", said)
        (record,) = records(self.out).values()
        self.assertEqual(record["status"], "failed")
        self.assertIn("GiB of memory at its peak; tried 2 times", record["reason"])

    def test_a_worker_that_does_nothing_is_killed_and_its_cell_tried_again(self):
        process = self.start("--only", "resnet18-fp-s0", "--set", "pretrain.epochs=2", env={**os.environ, "AUXBENCH_WORKER_SILENCE": "15"})
        os.kill(self.at_work(process), signal.SIGSTOP)
        said = process.communicate(timeout=300)[1]
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("its worker got nothing done for 15 s and was killed; tried once more", said)
        self.assertIn("1 completed", said)

    def test_leases_of_the_dead_are_taken_over_whatever_their_clock_says(self):
        first = self.run_it("--only", "resnet18-fp-s0")
        self.assertEqual(first.returncode, 0, first.stderr)
        (done,) = self.out.glob("cells/*")
        process = self.start(*LONG)  # another cell of the same name
        os.kill(self.at_work(process), signal.SIGSTOP)
        lease = next(path for path in self.out.glob("cells/*/lease"))
        text = lease.read_text()
        for worker in workers_of(process.pid):
            os.kill(worker, signal.SIGKILL)
        process.kill()
        process.wait()
        lease.unlink(missing_ok=True)
        (done / "record.json").unlink()
        (done / "weights.safetensors").unlink()
        (self.out / "records.jsonl").unlink()
        (done / "lease").write_text(text)
        os.utime(done / "lease", (time.time() + 1e6, time.time() + 1e6))
        again = self.run_it("--only", "resnet18-fp-s0")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn(f"taken over from process {json.loads(text)['process']} of ", again.stderr)
        self.assertIn("1 completed", again.stderr)

    def test_a_folder_moved_half_way_goes_on_and_lost_lines_are_written_again(self):
        first = self.run_it("--only", "resnet18-fp-s0")
        self.assertEqual(first.returncode, 0, first.stderr)
        lines = (self.out / "records.jsonl").read_text()
        moved = self.folder / "moved"
        self.out.rename(moved)
        (moved / "records.jsonl").unlink()
        listed = subprocess.run([PROGRAM, "ls", moved], capture_output=True, text=True)
        self.assertIn("completed", listed.stdout.replace("mistrusted", "completed"))
        second = self.run_it("--only", "resnet18-dorefa-w2a2-s0", out=moved)
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertIn("1 completed, 1 cached", second.stderr)
        self.assertTrue((moved / "records.jsonl").read_text().startswith(lines))

    def test_a_folder_that_is_moved_away_under_a_run_ends_it_with_a_line(self):
        process = self.start(*LONG)
        self.at_work(process)
        time.sleep(1)
        self.out.rename(self.folder / "moved")
        said = process.communicate(timeout=300)[1]
        self.assertEqual(process.returncode, 2, said)
        self.assertIn("the results folder is no longer there", said.splitlines()[-1])

    def test_a_full_disk_and_a_folder_that_cannot_be_written_are_one_line(self):
        limit = 64 << 10  # a plan fits, weights do not
        full = self.run_it("--only", "resnet18-fp-s0",
                           preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
        self.assertIn(full.returncode, (2, 5), full.stderr)
        self.assertIn("cannot be written: File too large", full.stderr)
        again = self.run_it("--only", "resnet18-fp-s0")
        self.assertEqual(again.returncode, 0, again.stderr)
        unwritable = self.run_it(out=pathlib.Path("/proc/auxbench"))
        self.assertEqual(unwritable.returncode, 2, unwritable.stderr)
        self.assertIn("/proc/auxbench", unwritable.stderr.splitlines()[-1])

    def test_numbers_of_jobs_that_make_no_sense_are_said(self):
        none = self.run_it("--jobs", 0)
        self.assertEqual(none.returncode, 2)
        self.assertEqual(none.stderr, "auxbench: --jobs 0: expected at least 1\n")
        self.assertFalse(self.out.exists())
        greedy = self.run_it("--jobs", 7, "--set", "pretrain.batch=100000", "--budget", "0s")
        self.assertEqual(greedy.returncode, 7, greedy.stderr)
        self.assertRegex(greedy.stderr, r"warning: --jobs 7: the workers may take about [0-9.]+ GiB of memory and [0-9.]+ GiB are free")

    def test_a_cell_of_two_threads_is_another_cell(self):
        plan = subprocess.run([PROGRAM, "plan", SMOKE, "--tier", "smoke", "--threads", "2", "--only", "resnet18-fp-*"], capture_output=True, text=True)
        self.assertIn("resnet18-fp-t2-s0-", plan.stdout, plan.stderr)
        result = self.run_it("--threads", 2, "--only", "resnet18-fp-t2-s0")
        self.assertEqual(result.returncode, 0, result.stderr)
        (path,) = self.out.glob("cells/*/record.json")
        record = json.loads(path.read_text())
        self.assertEqual((record["spec"]["threads"], record["provenance"]["threads"]), (2, 2))


if __name__ == "__main__":
    unittest.main()
