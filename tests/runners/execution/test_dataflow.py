"""The jobs that Dataflow would get, as far as is seen without a cloud: Beam translates them and stops there."""

import json
import os
import re
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.portability.api import beam_runner_api_pb2
from click.testing import CliRunner

from pipeline.beam.run import choose_runner
from pipeline.extraction.extract import Shards
from pipeline.extraction.extractor_source import Checkpoint
from pipeline.pipelines import ExtractionPipeline
from pipeline.reading import Reading
from runners.cli.main import main
from runners.errors import UserError
from runners.execution.dataflow import job_options

pytest.importorskip("google.cloud.dataflow", reason="the packages for Dataflow are not installed")

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = Path(__file__).parent / "dataflow_job.json"
TOLD = {
    "project": "some-project",
    "region": "europe-west4",
    "temp_location": "gs://some-bucket/tmp",
    "sdk_container_image": "europe-docker.pkg.dev/some-project/mill/worker:0.1.0",
}


def beam_options(**changes):
    return [f"--{name}={value}" for name, value in {**TOLD, **changes}.items() if value is not None]


def translated(flow, gpu, workers):
    """The job that Beam's runner for Dataflow would send, and its environment."""
    from apache_beam.runners.dataflow.internal.apiclient import Environment

    told = job_options([*beam_options(), "--job_name=mill"], workers, gpu)
    runner, options = choose_runner("dataflow", workers, [*told, "--dry_run=True"])
    pipeline = beam.Pipeline(runner, options)
    flow.construct(pipeline)
    job = pipeline.run().job
    return job, Environment([], job.options, "1", "gs://some-bucket/pipeline.pb", job.proto_pipeline).proto


def extraction():
    return ExtractionPipeline(
        paths=("/corpus/a.xml",),
        reading=Reading(),
        limit=None,
        languages=(),
        source=Checkpoint("docred-minilm", threads=1),
        batch_cost=8192,
        shards=Shards("/corpus/graph/extractions", "mark", None),
        counts="/corpus/graph/taken.json",
        tallies="/corpus/graph/tallies",
    )


def essentials(job, environment):
    """Stages with the environments they run in, and what these are; without ids and times that differ every time."""
    components = job.proto_pipeline.components
    names = {id: "with hints" if found.resource_hints else "plain" for id, found in components.environments.items()}
    (pool,) = environment.worker_pools
    return {
        "environments": {
            names[id]: {
                "urn": found.urn,
                "image": beam_runner_api_pb2.DockerPayload.FromString(found.payload).container_image,
                "hints": {urn: value.decode() for urn, value in sorted(found.resource_hints.items())},
            }
            for id, found in components.environments.items()
        },
        "images": sorted({image.container_image for image in pool.sdk_harness_container_images}),
        "most machines": pool.autoscaling_settings.max_num_workers,
        "region": job.google_cloud_options.region,
        "type": job.proto.type_.name,
        "stages": {
            found.unique_name: f"{found.spec.urn.split(':')[2]}, {names.get(found.environment_id, 'Dataflow itself')}"
            for _, found in sorted(components.transforms.items(), key=lambda item: item[1].unique_name)
            if not found.subtransforms
        },
    }


def test_the_job_is_the_one_that_is_known():
    """After a wanted change: FACTMILL_WRITE_GOLDEN=1 python -m pytest tests/runners/execution/test_dataflow.py"""
    found = essentials(*translated(extraction(), gpu="nvidia-l4", workers=20))
    if os.environ.get("FACTMILL_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", "utf-8")
    assert found == json.loads(GOLDEN.read_text("utf-8"))


def test_only_the_step_that_extracts_asks_for_a_gpu():
    stages = json.loads(GOLDEN.read_text("utf-8"))["stages"]
    assert [name for name, where in stages.items() if where.endswith("with hints")] == [
        "Extract/infer/BeamML_RunInference"
    ]


def test_without_a_gpu_memory_alone_is_asked_for():
    found = essentials(*translated(extraction(), gpu=None, workers=None))
    assert list(found["environments"]["with hints"]["hints"]) == ["beam:resources:min_ram_bytes:v1"]
    assert found["most machines"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"project": None}, "Dataflow needs --project=... (the Google Cloud project): add them after '--'"),
        ({"region": None, "temp_location": None}, "Dataflow needs --region=... (for example europe-west4)"),
        ({"sdk_container_image": None}, "--sdk_container_image=... (the worker image"),
        ({"temp_location": "/tmp/x"}, "--temp_location=/tmp/x: Dataflow takes a folder of a bucket"),
        ({"temp_location": "gs://b/tmp"}, "--temp_location=gs://b/tmp: Dataflow takes a folder of a bucket"),
        ({"staging_location": "s3://bucket/x"}, "--staging_location=s3://bucket/x: Dataflow takes a folder"),
        ({"sdk_container_image": "host:5000/mill/worker"}, "add a tag or digest"),
    ],
)
def test_options_that_cannot_be_right_are_told(changes, message):
    with pytest.raises(UserError) as caught:
        job_options(beam_options(**changes), None, None)
    assert message in caught.value.message


def test_what_the_user_says_to_beam_wins():
    told = job_options([*beam_options(), "--max_num_workers=3"], 20, None)
    assert choose_runner("dataflow", 20, told)[1].get_all_options()["max_num_workers"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runner", "dataflow"], "Dataflow needs --project=..."),
        (["--gpu", "nvidia-l4"], "--gpu goes with --runner dataflow, not with --runner local"),
    ],
)
def test_a_command_tells_before_any_work(arguments, message, texts, tmp_path):
    result = CliRunner().invoke(main, ["build", str(texts), "--out", str(tmp_path / "out"), *arguments])
    assert message in result.stderr
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_the_launcher_of_the_template_begins_a_build(monkeypatch):
    from runners.execution import dataflow_launcher

    begun = []
    monkeypatch.setattr(dataflow_launcher, "submit_build", lambda *arguments: begun.append(arguments))
    template = ["--template_location=gs://some-bucket/job", "--runner=DataflowRunner", "--job_name=mill"]
    dataflow_launcher.main(["--inputs=/in/a,/in/b", "--out=/out", "--gpu=nvidia-l4", *beam_options(), *template])
    ((inputs, out, options),) = begun
    assert (inputs, out, options.runner) == (["/in/a", "/in/b"], "/out", "dataflow")
    assert "--template_location=gs://some-bucket/job" in options.beam
    assert not any(option.startswith(("--runner", "--inputs", "--out", "--gpu")) for option in options.beam)


def test_the_template_names_what_the_launcher_takes():
    template = json.loads((ROOT / "runners" / "execution" / "dataflow_template.json").read_text("utf-8"))
    launcher = (ROOT / "runners" / "execution" / "dataflow_launcher.py").read_text("utf-8")
    for parameter in template["parameters"]:
        own = f'"--{parameter["name"]}"' in launcher
        assert own or parameter["name"] in TOLD, parameter["name"]


def test_the_image_has_the_beam_and_the_python_of_the_project():
    image = (ROOT / "runners" / "execution" / "dataflow.Containerfile").read_text("utf-8")
    (pinned,) = re.findall(r'"apache-beam==([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert f"apache/beam_python3.11_sdk:{pinned} " in image
    for copied in re.findall(r"/opt/factmill/(\S+\.py)", image):
        assert (ROOT / copied).is_file()
