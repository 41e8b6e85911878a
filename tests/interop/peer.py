"""One Python peer, in a process of its own that a test talks to.

Each line on stdin is a command as JSON, each line on stdout its answer. What is called is what a person would call in a
notebook; only where Google is differs. What the packages print goes to stderr.
"""

import contextlib
import json
import os
import sys
import time
import traceback
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httplib2

DRIVE = urlsplit(os.environ["DRIVE_URL"])
EMAIL = os.environ["PEER_EMAIL"]
TOKEN_FILE = Path(os.environ["PEER_TOKEN_FILE"])


def redirect_google():
    """Sends what Google's client library would send to Google to the test's Drive: token refreshes and batches too."""
    ask = httplib2.Http.request

    def request(self, uri, *arguments, **options):
        parts = urlsplit(uri)
        if parts.hostname and parts.hostname.endswith("googleapis.com"):
            uri = urlunsplit((DRIVE.scheme, DRIVE.netloc, parts.path, parts.query, ""))
        elif parts.netloc != DRIVE.netloc:
            raise ConnectionRefusedError(f"a test may not talk to {parts.netloc}")
        return ask(self, uri, *arguments, **options)

    httplib2.Http.request = request


@contextlib.contextmanager
def syncing():
    """A call that syncs by itself does so here; in all others a test says when."""
    os.environ["PRE_SYNC"] = "true"
    try:
        yield
    finally:
        os.environ["PRE_SYNC"] = "false"


class Peer:
    """The calls that a command can name."""

    def login(self, role, encrypted=False):
        owner, scientist = role == "do", role == "ds"
        roles = {"has_do_role": owner, "has_ds_role": scientist}
        if GENERATION == "0.10":
            import syft_rds
            from syft.sync.login import _init_client_login

            if encrypted:
                # Their login has no word for encryption; this is what it does, with it.
                config = syft_rds.SyftRDSClientConfig.for_jupyter(
                    email=EMAIL, token_path=TOKEN_FILE, encryption=True, **roles
                )
                self.client = syft_rds.SyftRDSClient.from_config(config)
                _init_client_login(self.client.sync_engine, sync=True, load_peers=True)
            else:
                login = syft_rds.login_do if owner else syft_rds.login_ds
                self.client = login(EMAIL, TOKEN_FILE)
            self.engine = self.client.sync_engine
        else:
            import syft_client
            from syft_client.sync.login import _init_client_login
            from syft_client.sync.syftbox_manager import SyftboxManager

            if encrypted:
                self.client = SyftboxManager.for_jupyter(email=EMAIL, token_path=TOKEN_FILE, encryption=True, **roles)
                _init_client_login(self.client, sync=True, load_peers=True)
            else:
                login = syft_client.login_do if owner else syft_client.login_ds
                self.client = login(email=EMAIL, token_path=TOKEN_FILE)
            self.engine = self.client
        return str(self.client.syftbox_folder)

    def sync(self):
        self.client.sync()

    def add_peer(self, email):
        self.client.add_peer(email)

    def peers(self):
        self.client.load_peers()
        return [{"email": peer.email, "state": peer.state.value} for peer in self.client.peers]

    def approve_peer(self, email):
        self.client.approve_peer_request(email)

    def reject_peer(self, email):
        self.client.reject_peer_request(email)

    def create_dataset(self, **dataset):
        self.client.create_dataset(**dataset)

    def delete_dataset(self, name):
        self.client.delete_dataset(name, require_confirmation=False)

    def datasets(self):
        return [
            {
                "name": dataset.name,
                "owner": dataset.owner,
                "summary": dataset.summary,
                "mock_files": [file.name for file in dataset.mock_files],
            }
            for dataset in self.client.datasets.get_all()
        ]

    def submit_python(self, to, path, name):
        self.client.submit_python_job(to, path, name)

    def submit_bash(self, to, script, name):
        self.client.submit_bash_job(to, script, name)

    def jobs(self):
        return [
            {"name": job.name, "status": job.status, "submitted_by": job.submitted_by, "reason": job.review_reason}
            for job in self.client.jobs
        ]

    def approve_job(self, name):
        self.client.jobs[name].approve()

    def reject_job(self, name, reason):
        self.client.jobs[name].reject(reason)

    def process(self, share):
        with syncing():
            self.client.process_approved_jobs(share_outputs_with_submitter=share, share_logs_with_submitter=share)

    def job_logs(self, name):
        job = self.client.jobs[name]
        return {"stdout": str(job.stdout), "stderr": str(job.stderr)}

    def job_outputs(self, name):
        return sorted(path.name for path in self.client.jobs[name].output_paths)

    def only_full_checkpoints(self):
        """No incremental ones: a new machine applies them after a full one, even a newer one, and is back in the past."""
        type(self.engine).try_create_checkpoint = lambda engine, threshold: None

    def create_checkpoint(self):
        self.engine.create_checkpoint()

    def delete_syftbox(self):
        self.client.delete_syftbox()


def answer(peer, line):
    command = json.loads(line)
    began = time.perf_counter()
    try:
        value = getattr(peer, command.pop("call"))(**command)
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}
    return {"value": value, "seconds": time.perf_counter() - began}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.environ["PRE_SYNC"] = "false"
    redirect_google()
    peer = Peer()
    # Everything is imported now, so that no call's time has it.
    if GENERATION == "0.10":
        import syft_rds  # noqa: F401
    else:
        import syft_client  # noqa: F401
    print(json.dumps({"value": VERSION}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(peer, line)), file=answers, flush=True)


try:
    VERSION, GENERATION = metadata.version("syft"), "0.10"
except metadata.PackageNotFoundError:
    VERSION, GENERATION = metadata.version("syft-client"), "0.1"

if __name__ == "__main__":
    main()
