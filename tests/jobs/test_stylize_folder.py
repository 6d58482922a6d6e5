import errno
import hashlib
import json
import os
from functools import partial

import pytest
import torch
from PIL import Image

from pystyle import Result, SlicedWassersteinLoss, stylize
from pystyle.images import ImageReadError, quantise, read_image, read_metadata, split_alpha, write_image
from pystyle.jobs import JobError, stylize_folder
from pystyle.runner import RunInterrupted

GOOD = ["a.png", "b.jpg", "c.webp", "trip/a.png"]
PICTURES = ["a.png", "b.png", "c.png", "trip/a.png"]
BAD = ["bomb.png", "cut.png", "empty.jpg"]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines(output):
    return [json.loads(line) for line in (output / "manifest.jsonl").read_text().splitlines()]


def files(output):
    found = (path for path in output.rglob("*") if path.is_file() and ".pystyle" not in path.parts)
    return sorted(str(path.relative_to(output)) for path in found)


def names(entries):
    return [entry.input for entry in entries]


def times(output):
    return {name: (output / name).stat().st_mtime_ns for name in files(output) if name.endswith(".png")}


def recolour(content, style):
    """A recipe of a user: the content with the mean colour of the style."""
    image = content - content.mean((2, 3), keepdim=True) + style.mean((2, 3), keepdim=True)
    return Result(image.clamp(0, 1), {}, "finished", 0.0)


def test_all_good_images_are_painted_and_the_bad_ones_recorded(photos, style, output, recipe):
    seen = []
    report = stylize_folder(photos, style, output, recipe=recipe, callbacks=[seen.append])
    assert names(report.painted) == GOOD
    assert [entry.output for entry in report.painted] == PICTURES
    assert names(report.failed) == BAD
    assert (report.kept, report.output) == ((), output)
    assert sorted(names(seen)) == sorted(GOOD + BAD)
    assert files(output) == [*PICTURES[:3], "manifest.jsonl", "trip/a.png"]
    errors = {entry.input: entry.error for entry in report.failed}
    assert f"Cannot read the image '{photos / 'cut.png'}': " in errors["cut.png"]
    assert "it is empty" in errors["empty.jpg"]
    assert "20000 x 20000 = 400000000 pixels, more than" in errors["bomb.png"]
    assert str(report).startswith("4 images painted, 0 were done before or by others, 3 failed; ")


def test_a_picture_is_that_of_stylize(photos, style, output, recipe):
    stylize_folder(photos, style, output, recipe=recipe)
    for name, picture in zip(GOOD, PICTURES, strict=True):
        expected = quantise(recipe(read_image(photos / name), style).image)
        assert torch.equal(read_image(output / picture), expected)


def test_the_manifest_has_one_line_for_each_image_with_hashes(photos, style, output, recipe):
    stylize_folder(photos, style, output, recipe=recipe)
    header, *entries = lines(output)
    assert header["description"]["num_steps"] == "2"
    assert header["description"]["encoder"].startswith("SequentialEncoder with the SHA-256 ")
    assert header["environment"]["torch"] == torch.__version__
    assert sorted(entry["input"] for entry in entries) == sorted(GOOD + BAD)
    for entry in entries:
        assert entry["configuration"] == header["configuration"]
        assert entry["input_sha256"] == sha256(photos / entry["input"])
        assert entry["seconds"] >= 0
        if entry["input"] in GOOD:
            assert entry["output_sha256"] == sha256(output / entry["output"])
            assert entry["error"] is None
        else:
            assert entry["output_sha256"] is None


def test_the_same_call_again_does_nothing(photos, style, output, recipe):
    first = stylize_folder(photos, style, output, recipe=recipe)
    before, manifest = times(output), (output / "manifest.jsonl").read_bytes()
    again = stylize_folder(photos, style, output, recipe=recipe)
    assert (again.painted, again.kept, again.failed) == ((), first.painted, first.failed)
    assert times(output) == before
    assert (output / "manifest.jsonl").read_bytes() == manifest


@pytest.mark.slow
def test_what_is_missing_new_or_changed_is_done(photos, style, output, recipe):
    stylize_folder(photos, style, output, recipe=recipe)
    before = times(output)
    (output / "a.png").unlink()
    (output / "b.png").write_bytes(b"edited")
    write_image(torch.rand(1, 3, 36, 36), photos / "c.webp")
    write_image(torch.rand(1, 3, 36, 36), photos / "new.png")
    write_image(torch.rand(1, 3, 36, 36), photos / "cut.png")
    report = stylize_folder(photos, style, output, recipe=recipe)
    assert names(report.painted) == ["a.png", "b.jpg", "c.webp", "cut.png", "new.png"]
    assert names(report.kept) == ["trip/a.png"]
    assert names(report.failed) == ["bomb.png", "empty.jpg"]
    assert times(output)["trip/a.png"] == before["trip/a.png"]


@pytest.mark.slow
def test_failed_images_are_tried_again_only_if_that_is_asked_for(photos, style, output, recipe):
    stylize_folder(photos, style, output, recipe=recipe)
    assert len(lines(output)) == 8
    report = stylize_folder(photos, style, output, recipe=recipe, retry_failed=True)
    assert names(report.failed) == BAD
    assert [entry["input"] for entry in lines(output)[8:]] == BAD


def test_where_and_how_it_is_computed_does_not_make_another_job(photos, style, output, recipe):
    stylize_folder(photos, style, output, recipe=recipe)
    for other in (partial(recipe, tile=16), partial(recipe, device=torch.device("cpu"), memory_budget=10**9)):
        assert len(stylize_folder(photos, [style], output, recipe=other).kept) == 4


@pytest.mark.slow
def test_other_options_are_refused_with_what_differs(photos, style, output, recipe):
    stylize_folder(photos, style, output, recipe=recipe)
    before = times(output)
    with pytest.raises(JobError, match=r"has 4 pictures .*: `num_steps` was 2 and is 1\. Give the options"):
        stylize_folder(photos, style, output, recipe=partial(recipe, num_steps=1))
    with pytest.raises(JobError, match=r"`style.0` was float32 of 1 x 3 x 36 x 30 with the SHA-256"):
        stylize_folder(photos, style * 0.5, output, recipe=recipe)
    with pytest.raises(JobError, match=r"`encoding.extension` was '.png' and is '.jpg'"):
        stylize_folder(photos, style, output, recipe=recipe, extension=".jpg")
    assert times(output) == before
    report = stylize_folder(photos, style, output, recipe=partial(recipe, num_steps=1), overwrite=True)
    assert (len(report.painted), len(report.failed)) == (4, 3)
    assert min(times(output).values()) > max(before.values())
    again = stylize_folder(photos, style, output, recipe=partial(recipe, num_steps=1), overwrite=True)
    assert (len(again.painted), len(again.kept)) == (0, 4)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs locks that end with their holder")
def test_a_folder_in_which_others_are_at_work_is_not_taken_from_them(photos, style, output, recipe):
    import fcntl

    stylize_folder(photos, style, output, recipe=recipe)
    with (output / ".pystyle" / "at-work").open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        # Somebody may be writing it.
        (output / ".0123456789abcdef.tmp").write_bytes(b"half")
        with pytest.raises(JobError, match=r"another job is going on: `num_steps` was 2 and is 1\. Wait"):
            stylize_folder(photos, style, output, recipe=partial(recipe, num_steps=1), overwrite=True)
        assert len(stylize_folder(photos, style, output, recipe=recipe).kept) == 4
        assert (output / ".0123456789abcdef.tmp").exists()
    assert len(stylize_folder(photos, style, output, recipe=recipe).kept) == 4
    assert not (output / ".0123456789abcdef.tmp").exists()


def test_a_job_that_painted_nothing_leaves_the_folder_to_another(tmp_path, style, output, recipe):
    photos = tmp_path / "photos"
    photos.mkdir()
    write_image(torch.rand(1, 3, 36, 36), photos / "a.png")
    report = stylize_folder(photos, style, output, recipe=partial(recipe, edge_size=4))
    assert "must be at least" in report.failed[0].error
    assert len(stylize_folder(photos, style, output, recipe=recipe).painted) == 1


def test_files_that_are_of_no_job_are_not_replaced(photos, style, output, recipe):
    output.mkdir()
    (output / "b.png").write_text("mine")
    with pytest.raises(JobError, match=r"has the file 'b.png', which is of no job"):
        stylize_folder(photos, style, output, recipe=recipe)
    assert (output / "b.png").read_text() == "mine"
    assert len(stylize_folder(photos, style, output, recipe=recipe, overwrite=True).painted) == 4


def test_pictures_that_would_have_one_name_keep_the_extensions(tmp_path, style, output):
    photos = tmp_path / "photos"
    (photos / "x").mkdir(parents=True)
    for name in ("a.png", "a.jpg", "a.jpg.png", "x/a.png", "B.png", "b.webp", "c.png"):
        write_image(torch.rand(1, 3, 24, 24), photos / name)
    report = stylize_folder(photos, style, output, recipe=recolour)
    assert {entry.input: entry.output for entry in report.painted} == {
        "a.png": "a.png.png",
        "a.jpg": "a.jpg.png",
        "a.jpg.png": "a.jpg.png.png",
        "x/a.png": "x/a.png",
        "B.png": "B.png.png",
        "b.webp": "b.webp.png",
        "c.png": "c.png",
    }


def test_only_images_count_and_the_pictures_may_lie_among_them(photos, style, recipe):
    (photos / "notes.txt").write_text("no image")
    (photos / ".hidden.png").write_bytes(b"")
    (photos / ".thumbnails").mkdir()
    (photos / ".thumbnails" / "a.png").write_bytes(b"")
    for _ in range(2):
        report = stylize_folder(photos, style, photos / "pictures", recipe=recipe)
        assert sorted(names(report.painted + report.kept)) == GOOD
        assert names(report.failed) == BAD


def test_images_are_known_by_their_first_bytes_and_what_is_none_is_named(photos, style, output):
    for name, new in {"a.png": "a", "b.jpg": "b.jfif", "c.webp": "holiday.2024"}.items():
        (photos / name).rename(photos / new)
    (photos / "notes.txt").write_text("BM is no bitmap, and P5 no graymap")
    (photos / "trip" / "clip.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    (photos / "raw.dng").write_bytes(b"II*\0" + bytes(100))
    (photos / "elsewhere").symlink_to(photos / "trip")
    (photos / ".hidden").write_bytes(b"")
    report = stylize_folder(photos, style, output, recipe=recolour)
    assert {entry.input: entry.output for entry in report.painted} == {
        "a": "a.png",
        "b.jfif": "b.png",
        "holiday.2024": "holiday.png",
        "trip/a.png": "trip/a.png",
    }
    assert names(report.failed) == BAD
    assert [left.input for left in report.left_out] == [
        "elsewhere",
        "notes.txt",
        "raw.dng",
        "trip/clip.mp4",
    ]
    reasons = {left.input: left.reason for left in report.left_out}
    assert "link to a folder" in reasons["elsewhere"]
    assert "first bytes" in reasons["notes.txt"]
    assert "raw photograph" in reasons["raw.dng"]
    assert str(report).endswith(" 4 files were left out.")
    assert str(report.left_out[1]) == f"notes.txt was left out: {reasons['notes.txt']}"


def test_names_that_differ_in_their_case_or_have_no_extension_end_somewhere(tmp_path, style, output):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("x", "x.jpg", "x.png"):
        write_image(torch.rand(1, 3, 24, 24), photos / name, format="png")
    report = stylize_folder(photos, style, output, recipe=recolour)
    assert {entry.input: entry.output for entry in report.painted} == {
        "x": "x.png",
        "x.jpg": "x.jpg.png",
        "x.png": "x.png.png",
    }


def test_a_folder_without_images_says_so(tmp_path, style, output):
    (tmp_path / "photos").mkdir()
    report = stylize_folder(tmp_path / "photos", style, output, recipe=recolour)
    assert report.empty
    assert str(report) == "There was no image to paint."
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    report = stylize_folder(tmp_path / "photos", style, output, recipe=recolour)
    assert str(report) == "There was no image to paint. 1 file was left out."


def test_larger_photographs_are_painted_if_that_is_allowed(photos, style, output):
    report = stylize_folder(photos, style, output, recipe=recolour, max_pixels=1_000)
    assert {entry.input for entry in report.failed} >= set(GOOD)
    assert all("`max_pixels=" in entry.error for entry in report.failed if entry.input in GOOD)
    report = stylize_folder(photos, style, output, recipe=recolour, max_pixels=1_728, retry_failed=True)
    assert names(report.painted) == GOOD


def test_half_a_line_is_ignored_and_closed(photos, style, output, recipe):
    stylize_folder(photos, style, output, recipe=recipe)
    manifest = output / "manifest.jsonl"
    whole = manifest.read_bytes()
    last = whole.splitlines()[-1]
    manifest.write_bytes(whole[: -len(last) // 2])
    report = stylize_folder(photos, style, output, recipe=recipe)
    assert names(report.painted) == ["trip/a.png"]
    assert manifest.read_bytes().startswith(whole[: -len(last) // 2] + b"\n{")
    manifest.write_bytes(manifest.read_bytes() + b'\xff\xfe\n[1]\n{"input": 3}\n\n')
    assert len(stylize_folder(photos, style, output, recipe=recipe).kept) == 4


def test_names_that_killed_writers_left_are_removed(photos, style, output, recipe):
    stylize_folder(photos, style, output, recipe=recipe)
    left = output / "trip" / ".0123456789abcdef.tmp"
    left.write_bytes(b"half")
    stylize_folder(photos, style, output, recipe=recipe)
    assert not left.exists()
    assert os.listdir(output / ".pystyle" / "claims") == []


def test_a_function_of_ones_own_is_a_recipe(photos, style, output):
    report = stylize_folder(photos, style, output, recipe=recolour, extension=".jpg", quality=80)
    assert [entry.output for entry in report.painted] == ["a.jpg", "b.jpg", "c.jpg", "trip/a.jpg"]
    mean = read_image(output / "c.jpg").mean((2, 3))
    torch.testing.assert_close(mean, style.mean((2, 3)), rtol=0, atol=0.05)


def test_a_recipe_that_gives_a_picture_alone_is_told_what_to_write(photos, style, output):
    def picture(content, style):
        return recolour(content, style).image

    with pytest.raises(
        TypeError, match=r"`recipe` must give a Result, got a Tensor\. Write `Result\(picture"
    ):
        stylize_folder(photos, style, output, recipe=picture)
    assert files(output) == ["manifest.jsonl"]


def test_a_run_that_diverged_leaves_no_picture(photos, style, output):
    def diverges(content, style):
        del style
        return Result(content, {}, "the loss became non-finite.", 0.0, failed=True)

    report = stylize_folder(photos, style, output, recipe=diverges)
    assert report.painted == ()
    errors = {entry.error for entry in report.failed if entry.input in GOOD}
    assert errors == {"The run ended early: the loss became non-finite."}
    assert files(output) == ["manifest.jsonl"]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("too large"),
        torch.OutOfMemoryError("too large"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_lack_of_memory_is_recorded_and_the_next_image_painted(photos, style, output, error):
    def recipe(content, style):
        if content.shape[3] > 100:
            raise error
        return recolour(content, style)

    write_image(torch.rand(1, 3, 6, 300), photos / "wide.png")
    report = stylize_folder(photos, style, output, recipe=recipe)
    assert names(report.painted) == GOOD
    assert report.failed[-1].error == f"{type(error).__name__}: {error}"


def test_an_error_of_the_recipe_ends_the_job_and_what_was_done_stays(photos, style, output):
    calls = []

    def breaks(content, style):
        calls.append(1)
        if len(calls) == 2:
            raise AttributeError("a mistake")
        return recolour(content, style)

    with pytest.raises(AttributeError, match="a mistake"):
        stylize_folder(photos, style, output, recipe=breaks)
    assert [line["input"] for line in lines(output)[1:]] == ["a.png"]


def test_ctrl_c_ends_the_job_between_two_pictures(photos, style, output, recipe):
    steps = []

    def interrupt(step):
        steps.append(step)
        if len(steps) == 3:
            raise KeyboardInterrupt

    with pytest.raises(RunInterrupted) as caught:
        stylize_folder(photos, style, output, recipe=partial(recipe, callbacks=[interrupt]))
    assert caught.value.result.image.shape == (1, 3, 36, 48)
    assert files(output) == ["a.png", "manifest.jsonl"]
    assert os.listdir(output / ".pystyle" / "claims") == []


def test_no_image_depends_on_those_before_it(photos, style, tmp_path, recipe):
    loss = SlicedWassersteinLoss("relu2", resample=True, seed=3)
    drawing = partial(recipe, style_loss=loss)
    stylize_folder(photos, style, tmp_path / "all", recipe=drawing)
    for name in ("a.png", "b.jpg", "c.webp"):
        (photos / name).unlink()
    stylize_folder(photos, style, tmp_path / "last", recipe=drawing)
    assert sha256(tmp_path / "all" / "trip/a.png") == sha256(tmp_path / "last" / "trip/a.png")


@pytest.mark.slow
def test_targets_are_stored_once_and_give_the_same_bytes(photos, style, tmp_path, recipe):
    stylize_folder(photos, style, tmp_path / "one", recipe=recipe, targets=tmp_path / "targets")
    stored = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "targets").iterdir()}
    assert len(stored) == 1
    stylize_folder(photos, style, tmp_path / "two", recipe=recipe, targets=tmp_path / "targets")
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "targets").iterdir()} == stored
    for name in PICTURES:
        assert sha256(tmp_path / "one" / name) == sha256(tmp_path / "two" / name)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"workers": 0}, ValueError, "`workers` must be at least 1, got 0"),
        ({"extension": "png"}, ValueError, "`extension` must begin with a dot"),
        ({"extension": ".gif"}, ValueError, "`extension` must be one of png, jpg"),
        ({"extension": ".jpg", "bits": 16}, ValueError, "`bits=16` needs the format PNG"),
        ({"recipe": "stylize"}, TypeError, "`recipe` must be a function of a content and a style, got a str"),
        (
            {"recipe": lambda content: content},
            TypeError,
            r"got a function: too many positional arguments\. For a network write `lambda content, style",
        ),
        ({"recipe": partial(stylize, resume=True)}, ValueError, "`recipe` must not have `resume`"),
        ({"recipe": partial(stylize, checkpoint="run")}, ValueError, "must not have `checkpoint`"),
        ({"recipe": partial(stylize, num_steps=0)}, ValueError, "`num_steps` must be at least 1"),
    ],
)
def test_an_impossible_argument_is_named_before_anything_is_written(
    photos, style, output, arguments, error, message
):
    with pytest.raises(error, match=message):
        stylize_folder(photos, style, output, **arguments)
    assert not output.exists()


def test_an_impossible_style_or_folder_is_named(photos, style, output, recipe):
    with pytest.raises(ImageReadError, match="nothing"):
        stylize_folder(photos, photos / "nothing.png", output, recipe=recipe)
    with pytest.raises(TypeError, match="`style` must be an image, a path or a list"):
        stylize_folder(photos, {"sky": style}, output, recipe=recipe)
    with pytest.raises(NotADirectoryError, match="`contents` must be a folder of images, got"):
        stylize_folder(photos / "a.png", style, output, recipe=recipe)
    with pytest.raises(ValueError, match="`output` must be another folder than `contents`"):
        stylize_folder(photos, style, photos, recipe=recipe)
    with pytest.raises(ValueError, match="`strength` must be positive"):
        stylize_folder(photos, style, output, recipe=partial(recipe, strength=-1))
    assert not output.exists()


def test_several_styles_are_blended(photos, style, output, recipe):
    write_image(style, photos.parent / "style.png")
    styles = [photos.parent / "style.png", style.flip(3)]
    report = stylize_folder(photos, styles, output, recipe=recipe)
    expected = recipe(photos / "a.png", styles).image
    assert torch.equal(read_image(output / "a.png"), quantise(expected))
    assert len(report.painted) == 4


def test_pictures_have_the_metadata_of_their_images_if_they_are_wanted(photos, style, output, recipe):
    Image.new("RGB", (48, 36)).save(photos / "a.png", dpi=(300, 300))
    report = stylize_folder(photos, style, output, recipe=recipe, keep_metadata=True)
    assert names(report.painted) == GOOD
    assert read_metadata(output / "a.png").dpi == pytest.approx((300, 300), rel=1e-4)
    with pytest.raises(ValueError, match="`keep_metadata` can be held by"):
        stylize_folder(photos, style, output, recipe=recipe, extension=".bmp", keep_metadata=True)


def test_no_picture_is_written_over_an_image(photos, style, output, recipe):
    output.mkdir()
    (output / "a.png").symlink_to(photos / "a.png")
    before = sha256(photos / "a.png")
    for link in (False, True):
        if link:
            (output / "a.png").unlink()
            os.link(photos / "a.png", output / "a.png")
        with pytest.raises(ValueError, match=r"The picture of 'a\.png' is the file"):
            stylize_folder(photos, style, output, recipe=recipe, overwrite=True)
    (output / "a.png").unlink()
    write_image(style, output / "b.png")
    with pytest.raises(ValueError, match=r"The picture of 'b\.jpg' is the file"):
        stylize_folder(photos, output / "b.png", output, recipe=recipe, overwrite=True)
    assert sha256(photos / "a.png") == before


def test_a_folder_that_takes_no_files_is_refused_before_the_first_image(photos, style):
    with pytest.raises(OSError, match="`output` cannot be written to '/proc/pictures'"):
        stylize_folder(photos, style, "/proc/pictures", recipe=_never)


def _never(*_):
    raise AssertionError("the computation began")


def test_a_picture_that_its_format_cannot_hold_is_not_painted(photos, style, output, recipe):
    large = partial(recipe, edge_size=20_000)
    report = stylize_folder(photos, style, output, recipe=large, extension=".webp")
    assert "WEBP must have at most 16383 pixels on a side" in report.failed[0].error


def test_names_that_are_no_text_are_painted_like_any_other(photos, style, output, recipe):
    name = os.fsdecode(b"caf\xe9.png")
    (photos / "a.png").rename(photos / name)
    report = stylize_folder(photos, style, output, recipe=recipe)
    assert name in names(report.painted)
    assert name in names(stylize_folder(photos, style, output, recipe=recipe).kept)


def test_a_picture_for_which_there_is_no_room_is_elsewhere(
    photos, style, output, recipe, monkeypatch, tmp_path
):
    def full(destination, _, *, kind):
        raise OSError(errno.ENOSPC, f"Cannot write the {kind} '{destination}': No space left on device")

    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("pystyle.jobs._work.replace_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        stylize_folder(photos, style, output, recipe=recipe)
    (note,) = caught.value.__notes__
    assert "instead" in note
    assert read_image(note.split("'")[1]).shape == (1, 3, 36, 48)


@pytest.mark.slow
def test_images_that_are_transparent_give_pictures_that_are(tmp_path, style, recipe):
    photos = tmp_path / "photos"
    photos.mkdir()
    alpha = torch.zeros(1, 1, 36, 48)
    alpha[..., :24] = 1
    write_image(torch.rand(1, 3, 36, 48), photos / "cut.png", alpha=alpha)
    write_image(torch.rand(1, 3, 36, 48), photos / "whole.png")
    stylize_folder(photos, style, tmp_path / "clear", recipe=recipe)
    _, found = split_alpha(tmp_path / "clear" / "cut.png")
    assert float(found.mean()) == pytest.approx(0.5, abs=0.02)
    assert split_alpha(tmp_path / "clear" / "whole.png")[1] is None
    grounds = {"on red": {"background": (1, 0, 0)}, "as JPEG": {"extension": ".jpg"}}
    for name, options in grounds.items():
        stylize_folder(photos, style, tmp_path / name, recipe=partial(recipe, init="content"), **options)
        picture = tmp_path / name / f"cut{options.get('extension', '.png')}"
        assert split_alpha(picture)[1] is None
        right = read_image(picture)[..., 26:].mean((0, 2, 3))
        assert right[0] > 0.8
        assert (right[1] > 0.6) == (name == "as JPEG")
    report = stylize_folder(photos, style, tmp_path / "own", recipe=recolour)
    assert names(report.painted) == ["cut.png", "whole.png"]
    assert split_alpha(tmp_path / "own" / "cut.png")[1] is None


def test_pictures_that_were_linked_to_save_room_are_kept(photos, style, output, recipe):
    (photos / "b.jpg").unlink()
    (photos / "d.png").write_bytes((photos / "a.png").read_bytes())
    stylize_folder(photos, style, output, recipe=recipe)
    (output / "d.png").unlink()
    os.link(output / "a.png", output / "d.png")
    assert {"a.png", "d.png"} <= set(names(stylize_folder(photos, style, output, recipe=recipe).kept))
