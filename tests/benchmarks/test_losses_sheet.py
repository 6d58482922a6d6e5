"""The sheet of style losses leaves none out and writes what it has."""

import json

import pytest

from pystyle import Loss, MMDLoss, losses
from pystyle.encoders import alexnet, vgg11
from pystyle.images import read_image
from pystyle.stylization import stylization_criterion


@pytest.fixture
def sheet(script):
    return script("losses_sheet")


def test_every_style_loss_of_the_library_is_in_the_sheet(sheet):
    encoder = vgg11(weights=None)
    shown = set()
    for entry in sheet.ENTRIES.values():
        loss = stylization_criterion(encoder, style_loss=entry if isinstance(entry, str) else entry())
        shown.add(type(loss.losses["style"]))
    # Estimates from pairs, which want another optimizer than the rest; see `pystyle.papers.li_2017`.
    left_out = {Loss, losses.LayerMask, MMDLoss}
    public = {getattr(losses, name) for name in losses.__all__} - left_out
    style_losses = {kind for kind in public if isinstance(kind, type) and kind.reference == "style"}
    assert style_losses <= shown


@pytest.mark.usefixtures("_demo")
def test_a_run_writes_pictures_rows_and_the_sheet_and_does_nothing_twice(
    sheet, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(sheet, "vgg19", lambda **_: alexnet(weights=None))
    argv = [
        "losses_sheet.py",
        "--edge-size",
        "32",
        "--num-steps",
        "1",
        "--height",
        "20",
        "--output",
        str(tmp_path),
    ]
    argv += ["--losses", "gram", "histogram", "covariance"]
    monkeypatch.setattr("sys.argv", argv)
    for _ in range(2):
        sheet.main()
    rows = [json.loads(line) for line in (tmp_path / "losses_sheet.jsonl").read_text().splitlines()]
    assert [row["loss"] for row in rows] == ["gram", "histogram", "covariance"]
    assert capsys.readouterr().out.count("\n") == 3
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        "losses-astronaut-cypresses-32-1-row1.png",
        "losses-astronaut-cypresses-32-1-row2.png",
        "losses-astronaut-cypresses-32-1.png",
    ]
    assert len(list((tmp_path / "pictures").glob("loss-*.png"))) == 3
    assert read_image(tmp_path / "losses-astronaut-cypresses-32-1-row2.png").shape[3] < 100
