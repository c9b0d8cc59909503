import io
import zipfile

import pytest

from extractors.encoder import backbone
from extractors.encoder.backbone import backbone_folder, backbone_tokenizer


def zipped(**members):
    """The bytes of a zip file with the members, which also tell their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in members.values():
            archive.writestr(name, f"content of {name}" * 50)
    return buffer.getvalue()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs parts of a file as packages `NAME-pypi-part-00N`, and gives the cache a place of its own."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def put(name, data, parts=3, left_out=()):
        step = -(-len(data) // parts)
        for number in range(1, parts + 1):
            if number in left_out:
                continue
            package = f"{name}-pypi-part-{number:03}"
            info = site / f"{package.replace('-', '_')}-1.0.dist-info"
            held = f"{package}/input/{name}.zip.{number:03}"
            info.mkdir(parents=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
            (info / "RECORD").write_text(f"{held},,\n")
            (site / held).parent.mkdir(parents=True)
            (site / held).write_bytes(data[(number - 1) * step : number * step])

    return put


def test_an_encoder_in_parts_is_joined_and_unpacked_once(install, tmp_path, monkeypatch):
    install("enc", zipped(config="enc/config.json", weights="enc/model.safetensors"))
    folder = backbone_folder("enc")
    assert folder == str(tmp_path / "cache" / "factmill" / "enc-1.0" / "enc")
    assert (tmp_path / "cache" / "factmill" / "enc-1.0" / "enc" / "config.json").read_text().startswith("content of")
    assert [path.name for path in (tmp_path / "cache" / "factmill").iterdir()] == ["enc-1.0"]  # no scratch is left
    monkeypatch.setattr(backbone, "_unpack", None)
    assert backbone_folder("enc") == folder


@pytest.mark.parametrize("missing", [2, 3])
def test_a_missing_part_is_told_and_nothing_stays(missing, install, tmp_path):
    install("enc", zipped(weights="enc/model.safetensors"), left_out=(missing,))
    with pytest.raises(ValueError, match="do not make a whole zip file"):
        backbone_folder("enc")
    assert list((tmp_path / "cache" / "factmill").iterdir()) == []


def test_a_member_that_leaves_the_folder_is_refused(install, tmp_path):
    install("enc", zipped(weights="enc/model.safetensors", outside="../../../evil.txt"))
    with pytest.raises(ValueError, match="leaves its folder"):
        backbone_folder("enc")
    assert not list(tmp_path.rglob("evil.txt"))


def test_packages_without_weights_are_refused(install):
    install("enc", zipped(readme="enc/README.md"))
    with pytest.raises(ValueError, match="carry no encoder"):
        backbone_folder("enc")
    with pytest.raises(ValueError, match="carries no encoder"):
        backbone_folder("pytest")


def test_a_folder_and_a_hub_model_stay_what_they_are(tmp_path):
    assert backbone_folder(str(tmp_path)) == str(tmp_path)
    assert backbone_folder("owner/model") == "owner/model"


def test_what_is_no_encoder_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"no encoder '.*give a folder"):
        backbone_tokenizer(str(tmp_path / "absent" / "deeper"))
