"""`factmill-worker`: the program that a cluster starts to run Python code, in place of Beam's boot program.

A Flink TaskManager starts it (Beam's environment `PROCESS`) with the addresses of its services. It requests the options
of the pipeline there and starts Beam's own worker.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser

from pipeline.beam.memory import set_memory_policy
from runners.execution.process_settings import set_thread_waiting


def main() -> None:
    """Work until the runner is done."""
    set_memory_policy()
    set_thread_waiting()
    parser = ArgumentParser(description="Runs Python steps of pipelines; started by a runner, not by people.")
    for name in ("id", "provision_endpoint", "logging_endpoint", "artifact_endpoint", "control_endpoint"):
        parser.add_argument(f"--{name}", default="")
    arguments, _ = parser.parse_known_args()

    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2, beam_provision_api_pb2_grpc, endpoints_pb2
    from apache_beam.runners.job.utils import struct_to_dict
    from apache_beam.runners.worker import sdk_worker_main

    with grpc.insecure_channel(arguments.provision_endpoint) as channel:
        service = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
        request = beam_provision_api_pb2.GetProvisionInfoRequest()
        # Requests of workers carry their id.
        info = service.GetProvisionInfo(request, metadata=[("worker_id", arguments.id)]).info
    control = info.control_endpoint.url or arguments.control_endpoint
    logging = info.logging_endpoint.url or arguments.logging_endpoint
    os.environ.update(
        WORKER_ID=arguments.id,
        PIPELINE_OPTIONS=json.dumps(struct_to_dict(info.pipeline_options)),
        RUNNER_CAPABILITIES=" ".join(info.runner_capabilities),
        CONTROL_API_SERVICE_DESCRIPTOR=str(endpoints_pb2.ApiServiceDescriptor(url=control)),
        LOGGING_API_SERVICE_DESCRIPTOR=str(endpoints_pb2.ApiServiceDescriptor(url=logging)),
    )
    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
