"""Worker processes on this machine: if one of them ends early, the build fails with the reason.

Beam's handler notices the end of a worker process in a thread that nobody listens to, and waits for its bundle forever.
Here the bundle is answered with an error, and so is every later one.
"""

from __future__ import annotations

import signal
import threading
from typing import Any

from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2, endpoints_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.portability.fn_api_runner.worker_handlers import SubprocessSdkWorkerHandler, WorkerHandler
from google.protobuf import json_format, text_format

from pipeline.beam.fork_server import ForkServerEnded, fork_server

_SECONDS_BETWEEN_ANSWERS = 0.2


class ProcessRunner(FnApiRunner):
    """Beam's runner with worker processes."""

    def run_pipeline(self, pipeline: Any, options: Any) -> Any:
        """Run a pipeline to its end.

        Raises:
            RuntimeError: a worker process ended early; other errors come as they are.
        """
        WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(_WatchedWorker)
        _WatchedWorker.lost.clear()
        try:
            return super().run_pipeline(pipeline, options)
        except Exception as error:
            if _WatchedWorker.lost:  # the cause of all other errors
                raise RuntimeError(_WatchedWorker.lost[0]) from error
            raise


class _WatchedWorker(SubprocessSdkWorkerHandler):
    """Beam's handler of a worker process, which also answers for a worker that ended early."""

    # Why workers ended early, in the running pipeline.
    lost: list[str] = []  # noqa: RUF012 - of the class, since Beam makes the handlers

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._closed = threading.Event()

    def start_worker(self) -> None:
        self.worker_thread = threading.Thread(name="run_worker", target=self._attend, daemon=True)
        self.worker_thread.start()

    def close(self) -> None:
        self._closed.set()
        super().close()

    def _attend(self) -> None:
        address = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        environment = {
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(address),
            "PIPELINE_OPTIONS": json_format.MessageToJson(self.provision_info.provision_info.pipeline_options),
            "WORKER_ID": self.worker_id,
        }
        try:
            status = fork_server().work(environment)
            if status == 0:
                return
            how = f"exit status {status}" if status > 0 else signal.strsignal(-status) or f"signal {-status}"
            reason = f"a worker process ended early ({how}); if memory was short, use fewer --workers"
        except (ForkServerEnded, OSError) as error:
            reason = f"worker processes cannot start: {error}"
        self.lost.append(reason)
        while not self._closed.wait(_SECONDS_BETWEEN_ANSWERS):
            self._refuse(reason)

    def _refuse(self, reason: str) -> None:
        for instruction, future in list(self.control_conn._futures_by_id.items()):
            if not future.is_done():
                future.set(beam_fn_api_pb2.InstructionResponse(instruction_id=instruction, error=reason))
